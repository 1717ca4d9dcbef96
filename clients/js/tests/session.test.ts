import { afterEach, expect, test, vi } from "vitest";
import { ApiError, cookieTransport, Offline, type Session, SignedOut, tokenTransport } from "../src/session.js";
import { addAuthenticatorApp, client, codeOfTheMail, demo, losing, newUser, totp, withCookies } from "./server.js";

const MINUTES = 60_000;

afterEach(() => void vi.useRealTimers());

function pass(milliseconds: number) {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + milliseconds);
}

function reasons(session: Session) {
  const heard: string[] = [];
  session.events.addEventListener("signedout", ({ detail }) => heard.push(detail));
  return heard;
}

async function signedUp() {
  const { session, ...rest } = client();
  const user = newUser();
  await session.signUp(user);
  await session.verifyEmail(await codeOfTheMail(user.email));
  return { session, user, ...rest };
}

test("a user signs in, uses the API and signs out", async () => {
  const { session } = client();
  const heard = reasons(session);

  await session.signIn(demo);
  expect((await session.me()).email).toBe(demo.email);
  expect((await session.updateMe({ name: "Demo" })).name).toBe("Demo");
  expect((await session.sessions()).filter((each) => each.current)).toHaveLength(1);
  await session.signOut();

  expect(heard).toEqual(["here"]);
  await expect(session.me()).rejects.toThrow(SignedOut);
});

test("a user signs up, and the code of the e-mail signs them in", async () => {
  const { session } = client();
  const user = newUser();

  expect(await session.signUp(user)).toBe("verify_email");
  await expect(session.verifyEmail("WRONG")).rejects.toMatchObject({ status: 400, fields: { key: [expect.any(String)] } });
  await session.verifyEmail(await codeOfTheMail(user.email));

  expect((await session.me()).email).toBe(user.email);
});

test("a sign-up with a bad password says which field", async () => {
  const refused = client().session.signUp({ ...newUser(), password: "1" });

  await expect(refused).rejects.toMatchObject({ status: 400, fields: { password: expect.any(Array) } });
});

test("a user who has not verified the address gets another code at the sign-in", async () => {
  const user = newUser();
  await client().session.signUp(user);
  const { session } = client(); // the app was closed

  await expect(session.signIn(user)).rejects.toMatchObject({ code: "email_not_verified" });
  await session.verifyEmail(await codeOfTheMail(user.email, 2));

  expect((await session.me()).email).toBe(user.email);
});

test("a second factor is asked for", async () => {
  const { user } = await signedUp();
  const secret = await addAuthenticatorApp(user);
  const { session } = client();

  await expect(session.signIn(user)).rejects.toMatchObject({ code: "mfa_required" });
  await expect(session.signIn({ ...user, code: "000000" })).rejects.toMatchObject({ code: "incorrect_code" });
  await session.signIn({ ...user, code: totp(secret) });

  expect((await session.me()).email).toBe(user.email);
});

test("twenty requests with an expired token refresh it once", async () => {
  const { session, refreshes } = client();
  await session.signIn(demo);

  pass(5 * MINUTES);
  const answers = await Promise.all(Array.from({ length: 20 }, () => session.me()));

  expect(answers).toHaveLength(20);
  expect(refreshes()).toBe(1);
});

test("a refused access token is refreshed, and the request repeated", async () => {
  let isRefused = false;
  const { session, refreshes } = client({
    fetch: (url, init) => {
      const headers = new Headers(init?.headers);
      if (!isRefused && headers.has("Authorization")) {
        isRefused = true;
        headers.append("Authorization", "forged");
      }
      return fetch(url, { ...init, headers });
    },
  });
  await session.signIn(demo);

  expect((await session.me()).email).toBe(demo.email);
  expect(refreshes()).toBe(1);
});

test("a wrong clock refreshes no earlier", async () => {
  const { session, refreshes } = client();
  pass(365 * 24 * 60 * MINUTES);

  await session.signIn(demo);
  await session.me();

  expect(refreshes()).toBe(0);
});

test("a lost response costs nothing", async () => {
  const { session, refreshes } = client({ fetch: losing("/refresh/") });
  await session.signIn(demo);

  for (const refreshed of [2, 3]) {
    pass(5 * MINUTES);
    await session.me();
    expect(refreshes()).toBe(refreshed);
  }
});

test("without a network the session stays", async () => {
  let isOnline = true;
  const { session } = client({ fetch: (...input) => (isOnline ? fetch(...input) : Promise.reject(new TypeError())) });
  const heard = reasons(session);
  await session.signIn(demo);

  isOnline = false;
  await expect(session.me()).rejects.toThrow(Offline);
  await expect(session.signOut()).rejects.toThrow(Offline);
  isOnline = true;

  expect((await session.me()).email).toBe(demo.email);
  expect(heard).toEqual([]);
});

test("a request that the app aborts is not taken for a lost network", async () => {
  const { session } = client();
  await session.signIn(demo);

  await expect(session.request("/api/me/", { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
});

test("a session that was ended from another device says so", async () => {
  const [one, other] = [client().session, client().session];
  await one.signIn(demo);
  await other.signIn(demo);
  const heard = reasons(one);
  const { id } = (await one.sessions()).find((each) => each.current)!;

  await other.endSession(id);
  await expect(one.me()).rejects.toMatchObject({ reason: "elsewhere" });

  expect(heard).toEqual(["elsewhere"]);
  expect(one.isExpected()).toBe(false);
  expect(await other.endOtherSessions()).toBeGreaterThanOrEqual(0);
});

test("a request never continues as another user", async () => {
  const { user } = await signedUp();
  let isFirst = true;
  const { session } = client({
    fetch: async (url, init) => {
      if (!isFirst || !String(url).endsWith("/api/me/")) return fetch(url, init);
      isFirst = false;
      await session.signIn(user);
      return new Response('{"detail": "", "code": "token_not_valid"}', { status: 401 });
    },
  });
  await session.signIn(demo);

  await expect(session.me()).rejects.toThrow(SignedOut);
  expect((await session.me()).email).toBe(user.email);
});

test("a sign-in that is too old for a request is not refreshed", async () => {
  const { session, refreshes } = client({
    fetch: async (url, init) =>
      String(url).endsWith("/api/sessions/")
        ? new Response('{"detail": "…", "code": "reauthentication_required"}', { status: 401 })
        : fetch(url, init),
  });
  await session.signIn(demo);

  await expect(session.endOtherSessions()).rejects.toMatchObject({ code: "reauthentication_required" });
  expect(refreshes()).toBe(0);
});

test("a new password ends the other sessions and keeps this one", async () => {
  const { session, user } = await signedUp();
  const { session: other } = client();
  await other.signIn(user);

  await session.changePassword(user.password, "another long and good password");
  pass(5 * MINUTES); // it refreshes with the new token

  expect((await session.me()).email).toBe(user.email);
  await expect(other.me()).rejects.toMatchObject({ reason: "elsewhere" });
});

function storeOf() {
  const store = {
    token: null as string | null,
    fails: false,
    get: async () => store.token,
    async set(token: string) {
      if (store.fails) throw new Error("The disk is full.");
      store.token = token;
    },
    delete: async () => void (store.token = null),
  };
  return store;
}

test("an app continues with the stored token, and signing out deletes it", async () => {
  const store = storeOf();
  await client({ transport: tokenTransport(store) }).session.signIn(demo);

  const { session } = client({ transport: tokenTransport(store) });
  await session.resume();
  expect((await session.me()).email).toBe(demo.email);
  await session.signOut();

  expect(store.token).toBeNull();
  await expect(client({ transport: tokenTransport(store) }).session.resume()).rejects.toThrow(SignedOut);
});

test("a refresh token that cannot be stored is an error, and is used at the next refresh", async () => {
  const store = storeOf();
  const sent: unknown[] = [];
  const { session } = client({
    transport: tokenTransport(store),
    fetch: (url, init) => {
      if (String(url).endsWith("/refresh/")) sent.push(JSON.parse(String(init?.body)).refresh);
      return fetch(url, init);
    },
  });
  await session.signIn(demo);
  const first = store.token;

  store.fails = true;
  pass(5 * MINUTES);
  await expect(session.me()).rejects.toThrow("The refresh token could not be stored.");
  store.fails = false;
  expect((await session.me()).email).toBe(demo.email);

  expect(sent).toEqual([first, expect.not.stringMatching(first!)]);
  expect(store.token).not.toBe(first);
});

test("the refresh token is stored before a request is sent", async () => {
  const store = storeOf();
  const stored: (string | null)[] = [];
  const { session } = client({
    transport: tokenTransport(store),
    fetch: (url, init) => {
      if (String(url).endsWith("/api/me/")) stored.push(store.token);
      return fetch(url, init);
    },
  });
  await session.signIn(demo);
  await session.me();
  pass(5 * MINUTES);
  await session.me();

  expect(new Set(stored).size).toBe(2);
  expect(stored.at(-1)).toBe(store.token);
});

test("with cookies the app has no refresh token", async () => {
  const { jar, fetch: ask } = withCookies();
  const { session, refreshes } = client({ transport: cookieTransport(), fetch: ask });

  await session.signIn(demo);
  expect([...jar.keys()]).toContain("refresh_token");
  pass(5 * MINUTES);
  await session.me();
  expect(refreshes()).toBe(1);
  await session.signOut();

  expect([...jar.keys()]).not.toContain("refresh_token");
});

test("with cookies a lost refresh cookie means that the session is over", async () => {
  const { jar, fetch: ask } = withCookies();
  const { session } = client({ transport: cookieTransport(), fetch: ask });
  await session.signIn(demo);

  jar.delete("refresh_token");
  pass(5 * MINUTES);

  await expect(session.me()).rejects.toMatchObject({ reason: "over" });
});

test("with cookies a user signs up as well", async () => {
  const { fetch: ask } = withCookies();
  const { session } = client({ transport: cookieTransport(), fetch: ask });
  const user = newUser();

  await session.signUp(user);
  await session.verifyEmail(await codeOfTheMail(user.email));

  expect((await session.me()).email).toBe(user.email);
});

test("a refusal has a code or the messages of fields", async () => {
  const { session } = client();

  await expect(session.signIn({ ...demo, password: "wrong" })).rejects.toMatchObject({
    status: 401,
    code: "no_active_account",
    seconds: undefined,
  });
  await expect(session.signIn({ ...demo, password: "" })).rejects.toMatchObject({
    status: 400,
    fields: { password: [expect.any(String)] },
  });
});

test("after too many attempts the error says how long to wait", async () => {
  const { session } = client({ baseUrl: process.env.LIMITED! });
  let refused: ApiError;

  do refused = await session.signIn({ email: "nobody@example.com", password: "wrong" }).catch((error) => error);
  while (refused.status === 401);

  expect(refused).toMatchObject({ status: 429, code: "throttled" });
  expect(refused.seconds).toBeGreaterThan(0);
});
