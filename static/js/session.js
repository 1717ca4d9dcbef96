/**
 * How a browser holds the tokens. Import it, or copy it: it needs nothing but the API.
 *
 *   await signIn("ada@example.com", "a-long-password");    // or resume() on a page that opens
 *   const answer = await request("/api/me/");              // fetch() with the access token
 *   events.addEventListener("signedout", (event) => …);    // here, in another tab, or elsewhere
 *
 * - The refresh token is in an HttpOnly cookie: no script can read it, nor any that got in.
 * - The access token is in this module's memory: not in the page, the address or a storage.
 * - It is renewed shortly before it ends, and when the API says 401. Requests wait for that.
 * - One tab at a time renews (Web Locks); the others get what it got (BroadcastChannel).
 * - An answer that was lost is asked for again: the API gives the same one for ten seconds.
 */

const API = "/api/token/";
const RETRIES = [500, 2000]; // milliseconds before each: well within the API's ten seconds
const HINT = "signed-in"; // a flag and no token: whether it is worth asking for a session

let access = null;
let user = null; // whose it is
let renewAt = 0; // by Date.now()
let renewing = null; // a promise, while there is one
let timer;

/** "signedin": somebody else may be at work now. "signedout": event.detail says why:
 *  "here" (by this browser), "elsewhere" (ended on another device), "over" (it had its time). */
export const events = new EventTarget();
const tabs = new BroadcastChannel("session");

/** The session has ended; sign in again. */
export class SignedOut extends Error {}
/** No answer, or none of the API's: the network is down. Nothing has changed. */
export class Offline extends Error {}
/** The API said no: `status`, `fields` (name → messages), `seconds` to wait after a 429. */
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

/** End the session, for every tab. Throws Offline; then the session is still there. */
export async function signOut() {
  await alone(async () => {
    try {
      await post("blacklist/", {});
    } catch (error) {
      if (!isOver(error)) throw error; // it had ended already
    }
    end("here");
    tabs.postMessage({ signedOut: "here" });
  });
}

/** Go on with the session of this browser. Throws SignedOut where there is none. */
export async function resume() {
  if (!isExpected()) throw new SignedOut();
  await fresh();
}

/** Whether this browser was signed in when it was last asked. Needs no network. */
export function isExpected() {
  return localStorage.getItem(HINT) !== null;
}

/** Change the password. The API revokes every session and opens a new one for this browser. */
export function changePassword(old_password, new_password) {
  const body = { old_password, new_password, transport: "cookie" };
  // While this runs, no tab may refresh with the cookie of the session that it revokes.
  const change = (token) => alone(async () => {
    const headers = { ...bearer(token), ...(await csrf()) };
    const data = await send("/api/password/change/", { method: "POST", headers, body });
    keep(data.access);
    tabs.postMessage({ access: data.access });
  });
  return withToken(change);
}

/** fetch() an address of the API with the access token. Throws SignedOut, Offline, Refused. */
export function request(path, options = {}) {
  return withToken((token) => send(path, { ...options, headers: bearer(token) }));
}

async function withToken(ask) {
  const token = await fresh();
  try {
    return await ask(token);
  } catch (error) {
    if (error.status !== 401) throw error;
    return ask(await renewed(token)); // it was ended, or this computer's clock is wrong
  }
}

function fresh() {
  return access !== null && Date.now() < renewAt ? access : renewed(access);
}

/** Return an access token other than the stale one. All who ask meanwhile get the same. */
function renewed(stale) {
  renewing ??= alone(async () => {
    if (!isExpected()) throw new SignedOut(); // by the tab that this one waited for
    const before = user;
    // All tabs wake up at once: the token that the first of them got may still be on its way.
    if (access !== null) await new Promise((go) => setTimeout(go, 50));
    if (access === null || access === stale) keep(await renew());
    if (before !== null && before !== user) throw new SignedOut(); // not as somebody else
    return access;
  }).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function renew() {
  for (const wait of [...RETRIES, null]) {
    try {
      const data = await post("refresh/", {});
      tabs.postMessage({ access: data.access });
      return data.access;
    } catch (error) {
      if (isOver(error)) {
        const why = error.status === 401 ? "elsewhere" : "over"; // the cookie has its own end
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

/** Whether the API said that there is no session (any more). */
function isOver(error) {
  return error instanceof Refused && [400, 401].includes(error.status);
}

/** Do something while no other tab does. Without Web Locks (plain HTTP) the API sorts it out. */
function alone(work) {
  return navigator.locks ? navigator.locks.request("session", work) : work();
}

function keep(token) {
  const { exp, iat, user_id: whose } = claims(token);
  const lifetime = (exp - iat) * 1000;
  const isAnother = user !== null && user !== whose;
  [access, user] = [token, whose];
  // By the time it lasts, and not by the hour it ends: this computer's clock may be wrong.
  renewAt = Date.now() + lifetime - Math.min(30_000, lifetime / 5);
  localStorage.setItem(HINT, "");
  clearTimeout(timer);
  timer = setTimeout(renewIfSeen, Math.min(renewAt - Date.now(), 2 ** 31 - 1));
  if (isAnother) tell("signedin");
}

function end(why) {
  access = null;
  clearTimeout(timer);
  localStorage.removeItem(HINT);
  tell("signedout", why);
}

function claims(token) {
  return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
}

function tell(name, detail) {
  events.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Renew in time, but not for a page that nobody looks at: it does so when it is seen again. */
function renewIfSeen() {
  if (document.hidden || access === null || Date.now() < renewAt) return;
  renewed(access).catch(() => {}); // whoever asks next will be told
}
document.addEventListener("visibilitychange", renewIfSeen);

tabs.onmessage = ({ data }) => {
  if (data.signedOut) end(data.signedOut);
  else if (data.access) keep(data.access);
  else tell("signedin");
};

async function post(path, body) {
  return send(API + path, { method: "POST", headers: await csrf(), body });
}

/** The CSRF header. A page that Django did not render gets the cookie from the API first. */
async function csrf() {
  if (!csrfCookie()) await send(`${API}csrf/`);
  return { "X-CSRFToken": csrfCookie() ?? "" };
}

function csrfCookie() {
  // A subdomain can set the plain name as well, so the one with the prefix goes first.
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
    data = await answer.json(); // which may be cut off, too
  } catch {
    if (!answer || answer.ok) throw new Offline();
    data = { detail: answer.statusText };
  }
  if (answer.ok) return data;
  throw new Refused(answer.status, data, Number(answer.headers.get("Retry-After")));
}
