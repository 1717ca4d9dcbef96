// @vitest-environment happy-dom
import { act, createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type SessionState, useSession } from "../src/react.js";
import { client, codeOfTheMail, demo, newUser } from "./server.js";

type Client = ReturnType<typeof client>;

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
let isOnline: boolean;

beforeEach(() => {
  isOnline = true;
});

afterEach(() => {
  document.body.replaceChildren();
});

function app() {
  return client({ fetch: (...input) => (isOnline ? fetch(...input) : Promise.reject(new TypeError())) });
}

/** Render components that show the session; return what each showed, the latest at the end. */
async function show({ session }: Client, components = 1) {
  const shown: SessionState[][] = Array.from({ length: components }, () => []);
  const Component = ({ at }: { at: number }) => {
    shown[at]!.push(useSession(session));
    return null;
  };
  const children = shown.map((_, at) => createElement(Component, { at, key: at }));
  const root = createRoot(document.body.appendChild(document.createElement("div")));
  await act(() => root.render(createElement(StrictMode, null, children)));
  return shown;
}

async function becomes(shown: SessionState[], state: Partial<SessionState>) {
  await act(() => vi.waitFor(() => expect(shown.at(-1)).toMatchObject(state), 10_000));
}

test("a visitor is signed out, and signed in after the sign-in", async () => {
  const it = app();
  const [shown] = await show(it);
  expect(shown![0]).toMatchObject({ state: "loading", user: null });
  await becomes(shown!, { state: "signed_out", reason: null, error: null });

  await act(() => it.session.signIn(demo));
  await becomes(shown!, { state: "signed_in", user: expect.objectContaining({ email: demo.email }) as never });

  await act(() => it.session.signOut());
  await becomes(shown!, { state: "signed_out", user: null, reason: "here" });
});

test("several components load the user once, also in strict mode", async () => {
  const it = app();
  await it.session.signIn(demo);

  const shown = await show(it, 3);
  for (const each of shown) await becomes(each, { state: "signed_in" });

  expect(it.asked.filter((path) => path === "/api/me/")).toHaveLength(1);
});

test("nothing of the user before is shown after another one has signed in", async () => {
  const it = app();
  const other = newUser();
  const there = client();
  await there.session.signUp(other);
  await there.session.verifyEmail(await codeOfTheMail(other.email));
  await it.session.signIn(demo);
  const [shown] = await show(it);
  await becomes(shown!, { state: "signed_in" });

  const before = shown!.length;
  await act(() => it.session.signIn(other));
  await becomes(shown!, { state: "signed_in", user: expect.objectContaining({ email: other.email }) as never });

  expect(shown!.slice(before).map(({ user }) => user?.email)).not.toContain(demo.email);
});

test("without a network it waits, and continues when there is one", async () => {
  const it = app();
  await it.session.signIn(demo);
  isOnline = false;
  const [shown] = await show(it);
  await becomes(shown!, { state: "loading", error: expect.any(Error) as never });

  isOnline = true;
  await act(() => dispatchEvent(new Event("online")));

  await becomes(shown!, { state: "signed_in", error: null });
});

test("a session that was ended elsewhere says so", async () => {
  const it = app();
  await it.session.signIn(demo);
  const [shown] = await show(it);
  await becomes(shown!, { state: "signed_in" });
  const { id } = (await it.session.sessions()).find((each) => each.current)!;

  await act(() => it.session.endSession(id));
  await act(() => it.session.me().catch(() => {}));

  await becomes(shown!, { state: "signed_out", user: null, reason: "elsewhere" });
});

test("a change of the user is shown after reload()", async () => {
  const it = app();
  await it.session.signIn(demo);
  const [shown] = await show(it);
  await becomes(shown!, { state: "signed_in" });

  await it.session.updateMe({ name: "Somebody" });
  await act(() => shown!.at(-1)!.reload());
  await becomes(shown!, { user: expect.objectContaining({ name: "Somebody" }) as never });

  await it.session.updateMe({ name: "Demo" });
});
