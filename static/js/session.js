/**
 * The session of a browser. Import or copy this module: it only needs the API.
 *
 *   await signIn("ada@example.com", "a-long-password");    // or resume() when a page opens
 *   const answer = await request("/api/me/");              // fetch() with the access token
 *   events.addEventListener("signedout", (event) => …);    // here, in another tab, or elsewhere
 *
 * - The refresh token is in an HttpOnly cookie: no script can read it, not even an injected one.
 * - The access token is in this module's memory: not in the page, the URL or a storage.
 * - It is refreshed shortly before it expires, and after a 401. Requests wait for the refresh.
 * - One tab at a time refreshes (Web Locks), and sends the token to the others (BroadcastChannel).
 * - If a response is lost, the refresh is repeated: for ten seconds, the API answers the same.
 */

const API = "/api/token/";
const RETRIES = [500, 2000]; // milliseconds before each: well within the API's ten seconds
const HINT = "signed-in"; // a flag, not a token: whether this browser is probably signed in

let access = null;
let user = null; // the user id of the access token
let refreshAt = 0; // when to refresh, in Date.now() time
let refreshing = null; // the promise of the current refresh
let timer;

/** "signedin": possibly as another user. "signedout": event.detail is the reason:
 *  "here" (by this browser), "elsewhere" (from another device), "over" (expired).
 *  "present": another tab shows a page of a user who is signed in. */
export const events = new EventTarget();
const tabs = new BroadcastChannel("session");

/** The session has ended; sign in again. */
export class SignedOut extends Error {}
/** No response from the API: the network is down. Nothing has changed. */
export class Offline extends Error {}
/** The API refused: `status`, `fields` (name → messages), `seconds` to wait after a 429. */
export class Refused extends Error {
  constructor(status, data, seconds) {
    super(data.detail ?? Object.values(data).flat().join(" "));
    Object.assign(this, { status, code: data.code, fields: data.detail ? {} : data, seconds });
  }
}

/** Sign in. Throws Refused for a wrong password or after too many attempts. */
export async function signIn(email, password) {
  const data = await post("", { email, password, transport: "cookie" });
  user = null;
  keep(data.access);
  tabs.postMessage({ signedIn: true });
}

/** Sign out in every tab. Throws Offline; then the session is still live. */
export async function signOut() {
  await inOneTab(async () => {
    try {
      await post("blacklist/", {});
    } catch (error) {
      if (!hasEnded(error)) throw error; // the session had already ended
    }
    end("here");
    tabs.postMessage({ signedOut: "here" });
  });
}

/** Resume the session of this browser. Throws SignedOut if there is none. */
export async function resume() {
  if (!isExpected()) throw new SignedOut();
  await accessToken();
}

/** Tell the tabs with the sign-in page that the server considers this browser signed in. */
export function expect() {
  localStorage.setItem(HINT, "");
  tabs.postMessage({ present: true });
}

/** Return whether this browser was signed in at the last check. Needs no network. */
export function isExpected() {
  return localStorage.getItem(HINT) !== null;
}

/** Change the password. The API revokes every session and opens a new one for this browser. */
export function changePassword(old_password, new_password) {
  const body = { old_password, new_password, transport: "cookie" };
  // While this runs, no tab may refresh with the cookie of the session that it revokes.
  const change = (token) => inOneTab(async () => {
    const headers = { ...bearer(token), ...(await csrf()) };
    const data = await send("/api/password/change/", { method: "POST", headers, body });
    keep(data.access);
    tabs.postMessage({ access: data.access });
  });
  return withToken(change);
}

/** fetch() a URL of the API with the access token. Throws SignedOut, Offline, Refused. */
export function request(path, options = {}) {
  return withToken((token) => send(path, { ...options, headers: bearer(token) }));
}

async function withToken(ask) {
  const token = await accessToken();
  try {
    return await ask(token);
  } catch (error) {
    // With this code the token is valid, and a newer one would be refused as well.
    if (error.status !== 401 || error.code === "reauthentication_required") throw error;
    return ask(await refreshed(token)); // the session has ended, or this computer's clock is wrong
  }
}

/** Return an access token for requests that this module does not send. Throws SignedOut, Offline. */
export async function accessToken() {
  return access !== null && Date.now() < refreshAt ? access : refreshed(access);
}

/** Return a newer access token than the stale one. Concurrent calls get the same. */
function refreshed(stale) {
  refreshing ??= inOneTab(async () => {
    if (!isExpected()) throw new SignedOut(); // another tab signed out while this one waited
    const before = user;
    // All tabs may wake up at once, before the token from the first tab has arrived here.
    if (access !== null) await new Promise((go) => setTimeout(go, 50));
    if (access === null || access === stale) keep(await refresh());
    if (before !== null && before !== user) throw new SignedOut(); // never continue as another user
    return access;
  }).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refresh() {
  for (const wait of [...RETRIES, null]) {
    try {
      const data = await post("refresh/", {});
      tabs.postMessage({ access: data.access });
      return data.access;
    } catch (error) {
      if (hasEnded(error)) {
        const why = error.status === 401 ? "elsewhere" : "over"; // without a 401, the cookie has expired
        tabs.postMessage({ signedOut: why });
        end(why);
        throw new SignedOut();
      }
      const mayHelp = error instanceof Offline || error.status >= 500;
      if (!mayHelp || wait === null) throw error;
      await new Promise((go) => setTimeout(go, wait));
    }
  }
}

/** Return whether the API answered that there is no live session. */
function hasEnded(error) {
  return error instanceof Refused && [400, 401].includes(error.status);
}

/** Run work in one tab at a time. Without Web Locks (plain HTTP), the API handles the race. */
function inOneTab(work) {
  return navigator.locks ? navigator.locks.request("session", work) : work();
}

function keep(token) {
  const { exp, iat, user_id: userId } = claims(token);
  const lifetime = (exp - iat) * 1000;
  const isAnother = user !== null && user !== userId;
  [access, user] = [token, userId];
  // Use the lifetime, not `exp`, because this computer's clock may be wrong.
  refreshAt = Date.now() + lifetime - Math.min(30_000, lifetime / 5);
  localStorage.setItem(HINT, "");
  clearTimeout(timer);
  timer = setTimeout(refreshIfVisible, Math.min(refreshAt - Date.now(), 2 ** 31 - 1));
  if (isAnother) dispatch("signedin");
}

function end(why) {
  access = null;
  clearTimeout(timer);
  localStorage.removeItem(HINT);
  dispatch("signedout", why);
}

function claims(token) {
  return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
}

function dispatch(name, detail) {
  events.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Refresh before the token expires. A hidden page refreshes when it is visible again. */
function refreshIfVisible() {
  if (document.hidden || access === null || Date.now() < refreshAt) return;
  refreshed(access).catch(() => {}); // the next request will throw the error
}
document.addEventListener("visibilitychange", refreshIfVisible);

tabs.onmessage = ({ data }) => {
  if (data.signedOut) end(data.signedOut);
  else if (data.access) keep(data.access);
  else if (data.present) dispatch("present");
  else dispatch("signedin");
};

async function post(path, body) {
  return send(API + path, { method: "POST", headers: await csrf(), body });
}

/** Return the CSRF header. A page that Django did not render gets the cookie from the API. */
async function csrf() {
  if (!csrfCookie()) await send(`${API}csrf/`);
  return { "X-CSRFToken": csrfCookie() ?? "" };
}

function csrfCookie() {
  // Prefer the name with the prefix: a subdomain can set a cookie with the plain name.
  const names = [/(?:^|; )__Host-csrftoken=([^;]+)/, /(?:^|; )csrftoken=([^;]+)/];
  return names.map((name) => document.cookie.match(name)).find(Boolean)?.[1];
}

function bearer(token) {
  return { Authorization: `Bearer ${token}` };
}

/** Send JSON, return JSON. Throws Offline or Refused. */
export async function send(path, { body, headers = {}, ...options } = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer, data;
  try {
    answer = await fetch(path, {
      ...options,
      headers: { ...headers, ...json },
      body: JSON.stringify(body),
    });
    data = await answer.json(); // the body may be cut off as well
  } catch {
    if (!answer || answer.ok) throw new Offline();
    data = { detail: answer.statusText };
  }
  if (answer.ok) return data;
  throw new Refused(answer.status, data, Number(answer.headers.get("Retry-After")));
}
