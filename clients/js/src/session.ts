/**
 * The session of a user of the API, in a browser, an app, a worker or Node.
 *
 *   const session = createSession();
 *   await session.signIn({ email, password }); // or resume() when the app starts
 *   const me = await session.request("/api/me/"); // fetch() with the access token
 *
 * The access token is in this module's memory: not in the page, the URL or a storage. It is refreshed
 * shortly before it expires, and after a 401. README.md describes the rest.
 */

import type { components as Accounts } from "./accounts.js";
import type { components } from "./api.js";

export type { components } from "./api.js";
export type Me = components["schemas"]["Me"];
export type SessionItem = components["schemas"]["Session"];
/** The codes of the API's description. Match on these, and show the message. */
export type ErrorCode = components["schemas"]["CodeEnum"];
type Pair = components["schemas"]["TokenObtainPair"];
type Steps = Accounts["schemas"];

/** Why a session ended: signed out in this browser, from another device, or expired. */
export type SignedOutReason = "here" | "elsewhere" | "over";

export interface Credentials {
  email: string;
  password: string;
  /** Of the second factor, after an ApiError with the code "mfa_required". */
  code?: string | undefined;
  /** false: the session expires after 12 hours, and its cookie with the browser. */
  remember?: boolean | undefined;
}

/** Where an app keeps the refresh token, such as the Keychain. The methods may be async. */
export interface TokenStore {
  get(): string | null | Promise<string | null>;
  set(token: string): void | Promise<void>;
  delete(): void | Promise<void>;
}

/** Where the refresh token is. Made by cookieTransport() or tokenTransport(). */
export interface Transport {
  /** null: in the cookie. */
  readonly tokens: TokenStore | null;
  /** Whether all tabs of a browser have the same session. */
  readonly shared: boolean;
}

export interface SessionOptions {
  /** Where the API is, such as "https://app.example.com". The default is the page's own origin. */
  baseUrl?: string | undefined;
  /** The default is cookieTransport(). */
  transport?: Transport | undefined;
  /** Of the lock, the channel and the hint that the tabs share. The default is "session". */
  name?: string | undefined;
  /** Sends the requests. The default is the global fetch(). */
  fetch?: typeof fetch | undefined;
}

export interface RequestOptions extends Omit<RequestInit, "body" | "headers"> {
  /** Sent as JSON, by POST unless there is a method. FormData is sent as it is. */
  body?: unknown;
  headers?: Record<string, string> | undefined;
}

export interface SessionEventMap {
  /** A user has signed in, here or in another tab; maybe another one than before. */
  signedin: CustomEvent<undefined>;
  signedout: CustomEvent<SignedOutReason>;
  /** Another tab shows a page of a user who is signed in. */
  present: CustomEvent<undefined>;
}

type SessionListener<Name extends keyof SessionEventMap> = (event: SessionEventMap[Name]) => void;

export interface SessionEvents extends EventTarget {
  addEventListener<Name extends keyof SessionEventMap>(
    name: Name,
    listener: SessionListener<Name>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(...input: Parameters<EventTarget["addEventListener"]>): void;
  removeEventListener<Name extends keyof SessionEventMap>(
    name: Name,
    listener: SessionListener<Name>,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(...input: Parameters<EventTarget["removeEventListener"]>): void;
}

/** All calls throw SignedOut, Offline and ApiError. */
export interface Session {
  readonly events: SessionEvents;
  /** Sign in. Throws ApiError with the code "mfa_required", "no_active_account" and others. */
  signIn(credentials: Credentials): Promise<void>;
  /** Sign up. If the user gets a code by e-mail, continue with verifyEmail(). */
  signUp(credentials: { email: string; password: string }): Promise<"signed_in" | "verify_email">;
  /** Enter the code of the e-mail, after signUp() or "email_not_verified". Signs the user in. */
  verifyEmail(code: string): Promise<void>;
  /** Sign out in every tab. Throws Offline; then the session is still live. */
  signOut(): Promise<void>;
  /** Resume the session of this browser or app. Throws SignedOut if there is none. */
  resume(): Promise<void>;
  /** Return whether this browser was signed in at the last check. Needs no network. */
  isExpected(): boolean;
  /** Tell all tabs that the server considers this browser signed in. */
  expect(): void;
  /** Change the password. The API revokes every session and opens a new one for this client. */
  changePassword(oldPassword: string, newPassword: string): Promise<void>;
  /** fetch() a path of the API with the access token; return its JSON. */
  request<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
  /** Return an access token for requests that this module does not send. */
  accessToken(): Promise<string>;
  me(): Promise<Me>;
  updateMe(patch: components["schemas"]["PatchedMeRequest"]): Promise<Me>;
  sessions(): Promise<SessionItem[]>;
  endSession(id: string): Promise<void>;
  /** Sign out all other devices; return how many. Needs a sign-in within the last ten minutes. */
  endOtherSessions(): Promise<number>;
}

type Message =
  | { access: string; signedIn?: boolean }
  | { signedOut: SignedOutReason }
  | { present: true };

interface ErrorData {
  detail?: string;
  code?: string;
  errors?: { message: string; code: string; param?: string }[];
}

const API = "/api/token/";
// Milliseconds before each repetition: for ten seconds, the API answers the same.
const RETRIES = [500, 2000];

export class SignedOut extends Error {
  constructor(readonly reason?: SignedOutReason) {
    super("The session has ended. Sign in again.");
  }
}

export class Offline extends Error {
  constructor(options?: ErrorOptions) {
    super("There was no response. Try again.", options);
  }
}

/** The API refused: `code`, `fields` (name → messages), `seconds` to wait after a 429 or 503. */
export class ApiError extends Error {
  readonly code: ErrorCode | undefined;
  readonly fields: Record<string, string[]>;

  constructor(
    readonly status: number,
    readonly data: unknown,
    readonly seconds: number | undefined,
  ) {
    const { detail, code, errors, ...rest } = Object(data) as ErrorData;
    const lists = Object.entries(detail ? {} : rest).filter(([, each]) => Array.isArray(each));
    const fields = Object.fromEntries(lists) as Record<string, string[]>;
    // django-allauth's shape
    for (const { param = "non_field_errors", message } of errors ?? []) (fields[param] ??= []).push(message);
    super(detail ?? Object.values(fields).flat().join(" "));
    this.code = (code ?? errors?.[0]?.code) as ErrorCode | undefined;
    this.fields = fields;
  }
}

/** In an HttpOnly cookie, which no script can read. The app and the API have one origin. */
export function cookieTransport(): Transport {
  return { tokens: null, shared: true };
}

/** In memory, or in a store of the app, which its tabs may share. */
export function tokenTransport(store?: TokenStore): Transport {
  let held: string | null = null;
  const memory = {
    get: () => held,
    set: (token: string) => void (held = token),
    delete: () => void (held = null),
  };
  return { tokens: store ?? memory, shared: store !== undefined };
}

export function createSession({
  baseUrl = "",
  transport: { tokens, shared } = cookieTransport(),
  name = "session",
  fetch: ask = (...input) => fetch(...input),
}: SessionOptions = {}): Session {
  let access: string | null = null;
  let user: string | null = null; // the user id of the access token
  let refreshAt = 0; // when to refresh, in Date.now() time
  let refreshing: Promise<string> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unstored: string | null = null; // the refresh token, if it could not be stored
  let verifying: string | undefined; // django-allauth's token of a sign-up
  let isSignedIn: boolean | undefined; // at the last check, where no storage keeps it
  let queue: Promise<unknown> = Promise.resolve();

  // Not in Node, where several users may have sessions in one process.
  const browser: Partial<typeof globalThis> = shared && "location" in globalThis ? globalThis : {};
  const { navigator, BroadcastChannel, document } = browser;
  const tabs = BroadcastChannel && new BroadcastChannel(name);
  const events = new EventTarget() as SessionEvents;
  const hint = `${name}:signed-in`; // a flag, not a token
  const storage = tokens || !document ? undefined : localStorage;

  function isExpected() {
    return storage ? storage.getItem(hint) !== null : isSignedIn === true;
  }

  function setExpected(yes: boolean) {
    isSignedIn = yes;
    yes ? storage?.setItem(hint, "") : storage?.removeItem(hint);
  }

  const tell = (message: Message) => tabs?.postMessage(message);

  /** Run work in one tab at a time. Without Web Locks (plain HTTP), the API handles the race. */
  function inOneTab<T>(work: () => Promise<T>): Promise<T> {
    if (navigator?.locks) return navigator.locks.request(name, work) as Promise<T>;
    const done = queue.then(work);
    queue = done.catch(() => {});
    return done;
  }

  async function withToken<T>(call: (token: string) => Promise<T>): Promise<T> {
    const token = await accessToken();
    const owner = user;
    try {
      return await call(token);
    } catch (error) {
      // With this code the token is valid, and a newer one would be refused as well.
      if (!isUnauthorized(error) || error.code === "reauthentication_required") throw error;
      const newer = await refreshed(token); // the session has ended, or this computer's clock is wrong
      if (user !== owner) throw new SignedOut();
      return call(newer);
    }
  }

  async function accessToken() {
    return access !== null && Date.now() < refreshAt ? access : refreshed(access);
  }

  /** Return a newer access token than the stale one. Concurrent calls get the same. */
  function refreshed(stale: string | null) {
    const owner = user;
    refreshing ??= inOneTab(async () => {
      // Another tab may have signed out while this one waited.
      if (storage ? !isExpected() : isSignedIn === false) throw new SignedOut();
      // All tabs may wake up at once, before the token from the first tab has arrived here.
      if (tabs && access !== null) await sleep(50);
      if (access === null || access === stale) {
        keep(await refresh());
        tell({ access: access! });
      }
      if (owner !== null && owner !== user) throw new SignedOut(); // never continue as another user
      return access!;
    }).finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  async function refresh(waits = RETRIES): Promise<string> {
    const body = await refreshToken();
    if (!body) throw ended(user ? "over" : undefined);
    try {
      return await stored(await post("refresh/", body));
    } catch (error) {
      if (isUnauthorized(error)) {
        await forget();
        const isOver = error.code === "not_signed_in" || claims(body.refresh).exp * 1000 < Date.now();
        throw ended(!isOver ? "elsewhere" : isSignedIn || isExpected() ? "over" : undefined);
      }
      const mayHelp = error instanceof Offline || (error as ApiError).status >= 500;
      const [wait, ...others] = waits;
      if (!mayHelp || wait === undefined) throw error;
      await sleep(wait);
      return refresh(others);
    }
  }

  /** Return the body with the refresh token, or null if the app has none. */
  async function refreshToken(): Promise<{ refresh?: string } | null> {
    if (!tokens) return {};
    const refresh = unstored ?? (await tokens.get());
    return refresh ? { refresh } : null;
  }

  /** Store the refresh token, before anything else is done; return the access token. */
  async function stored({ refresh, access }: Pair) {
    if (tokens && refresh) {
      unstored = refresh; // the former one is used up
      try {
        await tokens.set(refresh);
      } catch (cause) {
        throw new Error("The refresh token could not be stored.", { cause });
      }
      unstored = null;
    }
    return access;
  }

  async function forget() {
    unstored = null;
    try {
      await tokens?.delete();
    } catch {} // the API refuses it from now on
  }

  /** Continue with a session that was just opened. */
  function begin(token: string) {
    keep(token, true);
    tell({ access: token, signedIn: true });
  }

  function keep(token: string, isNew = isSignedIn === false) {
    const { exp, iat, user_id: id } = claims(token);
    const lifetime = (exp - iat) * 1000;
    isNew ||= user !== null && user !== id;
    [access, user] = [token, id];
    // Use the lifetime, not `exp`, because this computer's clock may be wrong.
    refreshAt = Date.now() + lifetime - Math.min(30_000, lifetime / 5);
    setExpected(true);
    clearTimeout(timer);
    timer = setTimeout(refreshIfVisible, Math.min(refreshAt - Date.now(), 2 ** 31 - 1));
    (timer as { unref?(): void }).unref?.(); // Node need not wait for it
    if (isNew) dispatch("signedin");
  }

  /** End the session in every tab; return the error to throw. Without a reason there was none. */
  function ended(why?: SignedOutReason) {
    if (why) {
      tell({ signedOut: why });
      end(why);
    } else setExpected(false);
    return new SignedOut(why);
  }

  function end(why: SignedOutReason) {
    access = user = null;
    clearTimeout(timer);
    setExpected(false);
    dispatch("signedout", why);
  }

  function dispatch(name: keyof SessionEventMap, detail?: SignedOutReason) {
    events.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Refresh before the token expires; a hidden page, when it is visible again. */
  function refreshIfVisible() {
    if (document?.hidden || access === null || Date.now() < refreshAt) return;
    refreshed(access).catch(() => {}); // the next request will throw the error
  }
  document?.addEventListener("visibilitychange", refreshIfVisible);

  if (tabs) {
    tabs.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("signedOut" in data) end(data.signedOut);
      else if ("access" in data) keep(data.access, data.signedIn);
      else dispatch("present");
    };
  }

  async function post<T = Pair>(path: string, body: object): Promise<T> {
    return send(API + path, { headers: await csrf(), body });
  }

  /** Return the CSRF header. A page that Django did not render gets the cookie from the API. */
  async function csrf(): Promise<Record<string, string>> {
    if (tokens) return {};
    if (!csrfCookie()) await send(`${API}csrf/`);
    return { "X-CSRFToken": csrfCookie() ?? "" };
  }

  /** Take a step of the accounts API. Return false if the user has to verify the address first. */
  async function step(path: string, body: object) {
    const headers = verifying && "key" in body ? { "X-Session-Token": verifying } : await csrf();
    try {
      const done = await send<Steps["AuthenticatedResponse"]>(`/_allauth/${tokens ? "app" : "browser"}/v1/auth/${path}`, { headers, body });
      const { access_token: access, refresh_token } = done.meta;
      // In a browser, the session cookie now gets the tokens.
      begin(tokens ? await stored({ access: access!, refresh: refresh_token! }) : await refresh());
      return true;
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      const { data, meta } = error.data as Steps["AuthenticationResponse"];
      verifying = meta?.session_token;
      if (data?.flows.some((flow) => flow.id === "verify_email" && flow.is_pending)) return false;
      throw error;
    }
  }

  /** Send JSON, return JSON. Throws Offline or ApiError. */
  async function send<T>(path: string, { body, headers, ...options }: RequestOptions = {}): Promise<T> {
    const isJSON = body !== undefined && !(body instanceof FormData);
    let answer: Response | undefined, data;
    try {
      answer = await ask(baseUrl + path, {
        method: body === undefined ? "GET" : "POST",
        ...options,
        headers: { ...headers, ...(isJSON && { "Content-Type": "application/json" }) },
        body: (isJSON ? JSON.stringify(body) : body) as BodyInit,
      });
      if (answer.status !== 204) data = await answer.json(); // the body may be cut off as well
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      if (!answer || answer.ok) throw new Offline({ cause });
      data = { detail: answer.statusText };
    }
    if (answer.ok) return data;
    const seconds = answer.headers.get("Retry-After");
    throw new ApiError(answer.status, data, seconds === null ? undefined : Number(seconds));
  }

  const inCookie = tokens ? {} : { transport: "cookie" };
  const request = <T>(path: string, options: RequestOptions = {}) =>
    withToken((token) => send<T>(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } }));

  return {
    events,
    isExpected,
    request,
    accessToken,
    signIn: (credentials) =>
      inOneTab(async () => {
        try {
          begin(await stored(await post("", { ...credentials, ...inCookie })));
        } catch (error) {
          if ((error as ApiError).code === "email_not_verified") {
            await step("login", credentials); // sends a code for verifyEmail()
          }
          throw error;
        }
      }),
    signUp: (credentials) =>
      inOneTab(async () => ((await step("signup", credentials)) ? "signed_in" : "verify_email")),
    verifyEmail: (key) => inOneTab(async () => void (await step("email/verify", { key }))),
    signOut: () =>
      inOneTab(async () => {
        try {
          const body = await refreshToken();
          if (body) await post("blacklist/", body);
        } catch (error) {
          if (!isUnauthorized(error)) throw error; // the session had already ended
        }
        await forget();
        ended("here");
      }),
    resume: async () => void (await accessToken()),
    expect() {
      setExpected(true);
      tell({ present: true });
    },
    // While this runs, no tab may refresh with the token of the session that it revokes.
    changePassword: (old_password, new_password) =>
      withToken((token) =>
        inOneTab(async () => {
          const headers = { Authorization: `Bearer ${token}`, ...(await csrf()) };
          const body = { old_password, new_password, ...inCookie };
          const access = await stored(await send<Pair>("/api/password/change/", { headers, body }));
          keep(access);
          tell({ access });
        }),
      ),
    me: () => request("/api/me/"),
    updateMe: (body) => request("/api/me/", { method: "PATCH", body }),
    sessions: () => request("/api/sessions/"),
    endSession: async (id) => void (await request(`/api/sessions/${id}/`, { method: "DELETE" })),
    endOtherSessions: async () =>
      (await request<components["schemas"]["EndedSessions"]>("/api/sessions/", { method: "DELETE" })).ended,
  };
}

function isUnauthorized(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401;
}

function sleep(milliseconds: number) {
  return new Promise((go) => setTimeout(go, milliseconds));
}

function claims(token = ""): { exp: number; iat: number; user_id: string } {
  try {
    return JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {} as never; // no token of ours
  }
}

function csrfCookie() {
  const find = (name: string) => globalThis.document?.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1];
  // Prefer the name with the prefix: a subdomain can set a cookie with the plain name.
  return find("__Host-csrftoken") ?? find("csrftoken");
}
