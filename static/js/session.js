// Built from clients/js/src/session.ts, SHA-256 e39a1712b43db2b5.
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
const API = "/api/token/";
// Milliseconds before each repetition: for ten seconds, the API answers the same.
const RETRIES = [500, 2000];
export class SignedOut extends Error {
    reason;
    constructor(reason) {
        super("The session has ended. Sign in again.");
        this.reason = reason;
    }
}
export class Offline extends Error {
    constructor(options) {
        super("There was no response. Try again.", options);
    }
}
/** The API refused: `code`, `fields` (name → messages), `seconds` to wait after a 429 or 503. */
export class ApiError extends Error {
    status;
    data;
    seconds;
    code;
    fields;
    constructor(status, data, seconds) {
        const { detail, code, errors, ...rest } = Object(data);
        const lists = Object.entries(detail ? {} : rest).filter(([, each]) => Array.isArray(each));
        const fields = Object.fromEntries(lists);
        // django-allauth's shape
        for (const { param = "non_field_errors", message } of errors ?? [])
            (fields[param] ??= []).push(message);
        super(detail ?? Object.values(fields).flat().join(" "));
        this.status = status;
        this.data = data;
        this.seconds = seconds;
        this.code = (code ?? errors?.[0]?.code);
        this.fields = fields;
    }
}
/** In an HttpOnly cookie, which no script can read. The app and the API have one origin. */
export function cookieTransport() {
    return { tokens: null, shared: true };
}
/** In memory, or in a store of the app, which its tabs may share. */
export function tokenTransport(store) {
    let held = null;
    const memory = {
        get: () => held,
        set: (token) => void (held = token),
        delete: () => void (held = null),
    };
    return { tokens: store ?? memory, shared: store !== undefined };
}
export function createSession({ baseUrl = "", transport: { tokens, shared } = cookieTransport(), name = "session", fetch: ask = (...input) => fetch(...input), } = {}) {
    let access = null;
    let user = null; // the user id of the access token
    let refreshAt = 0; // when to refresh, in Date.now() time
    let refreshing = null;
    let timer;
    let unstored = null; // the refresh token, if it could not be stored
    let verifying; // django-allauth's token of a sign-up
    let isSignedIn; // at the last check, where no storage keeps it
    let queue = Promise.resolve();
    // Not in Node, where several users may have sessions in one process.
    const browser = shared && "location" in globalThis ? globalThis : {};
    const { navigator, BroadcastChannel, document } = browser;
    const tabs = BroadcastChannel && new BroadcastChannel(name);
    const events = new EventTarget();
    const hint = `${name}:signed-in`; // a flag, not a token
    const storage = tokens || !document ? undefined : localStorage;
    function isExpected() {
        return storage ? storage.getItem(hint) !== null : isSignedIn === true;
    }
    function setExpected(yes) {
        isSignedIn = yes;
        yes ? storage?.setItem(hint, "") : storage?.removeItem(hint);
    }
    const tell = (message) => tabs?.postMessage(message);
    /** Run work in one tab at a time. Without Web Locks (plain HTTP), the API handles the race. */
    function inOneTab(work) {
        if (navigator?.locks)
            return navigator.locks.request(name, work);
        const done = queue.then(work);
        queue = done.catch(() => { });
        return done;
    }
    async function withToken(call) {
        const token = await accessToken();
        const owner = user;
        try {
            return await call(token);
        }
        catch (error) {
            // With this code the token is valid, and a newer one would be refused as well.
            if (!isUnauthorized(error) || error.code === "reauthentication_required")
                throw error;
            const newer = await refreshed(token); // the session has ended, or this computer's clock is wrong
            if (user !== owner)
                throw new SignedOut();
            return call(newer);
        }
    }
    async function accessToken() {
        return access !== null && Date.now() < refreshAt ? access : refreshed(access);
    }
    /** Return a newer access token than the stale one. Concurrent calls get the same. */
    function refreshed(stale) {
        const owner = user;
        refreshing ??= inOneTab(async () => {
            // Another tab may have signed out while this one waited.
            if (storage ? !isExpected() : isSignedIn === false)
                throw new SignedOut();
            // All tabs may wake up at once, before the token from the first tab has arrived here.
            if (tabs && access !== null)
                await sleep(50);
            if (access === null || access === stale) {
                keep(await refresh());
                tell({ access: access });
            }
            if (owner !== null && owner !== user)
                throw new SignedOut(); // never continue as another user
            return access;
        }).finally(() => {
            refreshing = null;
        });
        return refreshing;
    }
    async function refresh(waits = RETRIES) {
        const body = await refreshToken();
        if (!body)
            throw ended(user ? "over" : undefined);
        try {
            return await stored(await post("refresh/", body));
        }
        catch (error) {
            if (isUnauthorized(error)) {
                await forget();
                const isOver = error.code === "not_signed_in" || claims(body.refresh).exp * 1000 < Date.now();
                throw ended(!isOver ? "elsewhere" : isSignedIn || isExpected() ? "over" : undefined);
            }
            const mayHelp = error instanceof Offline || error.status >= 500;
            const [wait, ...others] = waits;
            if (!mayHelp || wait === undefined)
                throw error;
            await sleep(wait);
            return refresh(others);
        }
    }
    /** Return the body with the refresh token, or null if the app has none. */
    async function refreshToken() {
        if (!tokens)
            return {};
        const refresh = unstored ?? (await tokens.get());
        return refresh ? { refresh } : null;
    }
    /** Store the refresh token, before anything else is done; return the access token. */
    async function stored({ refresh, access }) {
        if (tokens && refresh) {
            unstored = refresh; // the former one is used up
            try {
                await tokens.set(refresh);
            }
            catch (cause) {
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
        }
        catch { } // the API refuses it from now on
    }
    /** Continue with a session that was just opened. */
    function begin(token) {
        keep(token, true);
        tell({ access: token, signedIn: true });
    }
    function keep(token, isNew = isSignedIn === false) {
        const { exp, iat, user_id: id } = claims(token);
        const lifetime = (exp - iat) * 1000;
        isNew ||= user !== null && user !== id;
        [access, user] = [token, id];
        // Use the lifetime, not `exp`, because this computer's clock may be wrong.
        refreshAt = Date.now() + lifetime - Math.min(30_000, lifetime / 5);
        setExpected(true);
        clearTimeout(timer);
        timer = setTimeout(refreshIfVisible, Math.min(refreshAt - Date.now(), 2 ** 31 - 1));
        timer.unref?.(); // Node need not wait for it
        if (isNew)
            dispatch("signedin");
    }
    /** End the session in every tab; return the error to throw. Without a reason there was none. */
    function ended(why) {
        if (why) {
            tell({ signedOut: why });
            end(why);
        }
        else
            setExpected(false);
        return new SignedOut(why);
    }
    function end(why) {
        access = user = null;
        clearTimeout(timer);
        setExpected(false);
        dispatch("signedout", why);
    }
    function dispatch(name, detail) {
        events.dispatchEvent(new CustomEvent(name, { detail }));
    }
    /** Refresh before the token expires; a hidden page, when it is visible again. */
    function refreshIfVisible() {
        if (document?.hidden || access === null || Date.now() < refreshAt)
            return;
        refreshed(access).catch(() => { }); // the next request will throw the error
    }
    document?.addEventListener("visibilitychange", refreshIfVisible);
    if (tabs) {
        tabs.onmessage = ({ data }) => {
            if ("signedOut" in data)
                end(data.signedOut);
            else if ("access" in data)
                keep(data.access, data.signedIn);
            else
                dispatch("present");
        };
    }
    async function post(path, body) {
        return send(API + path, { headers: await csrf(), body });
    }
    /** Return the CSRF header. A page that Django did not render gets the cookie from the API. */
    async function csrf() {
        if (tokens)
            return {};
        if (!csrfCookie())
            await send(`${API}csrf/`);
        return { "X-CSRFToken": csrfCookie() ?? "" };
    }
    /** Take a step of the accounts API. Return false if the user has to verify the address first. */
    async function step(path, body) {
        const headers = verifying && "key" in body ? { "X-Session-Token": verifying } : await csrf();
        try {
            const done = await send(`/_allauth/${tokens ? "app" : "browser"}/v1/auth/${path}`, { headers, body });
            const { access_token: access, refresh_token } = done.meta;
            // In a browser, the session cookie now gets the tokens.
            begin(tokens ? await stored({ access: access, refresh: refresh_token }) : await refresh());
            return true;
        }
        catch (error) {
            if (!isUnauthorized(error))
                throw error;
            const { data, meta } = error.data;
            verifying = meta?.session_token;
            if (data?.flows.some((flow) => flow.id === "verify_email" && flow.is_pending))
                return false;
            throw error;
        }
    }
    /** Send JSON, return JSON. Throws Offline or ApiError. */
    async function send(path, { body, headers, ...options } = {}) {
        const isJSON = body !== undefined && !(body instanceof FormData);
        let answer, data;
        try {
            answer = await ask(baseUrl + path, {
                method: body === undefined ? "GET" : "POST",
                ...options,
                headers: { ...headers, ...(isJSON && { "Content-Type": "application/json" }) },
                body: (isJSON ? JSON.stringify(body) : body),
            });
            if (answer.status !== 204)
                data = await answer.json(); // the body may be cut off as well
        }
        catch (cause) {
            if (options.signal?.aborted)
                throw cause;
            if (!answer || answer.ok)
                throw new Offline({ cause });
            data = { detail: answer.statusText };
        }
        if (answer.ok)
            return data;
        const seconds = answer.headers.get("Retry-After");
        throw new ApiError(answer.status, data, seconds === null ? undefined : Number(seconds));
    }
    const inCookie = tokens ? {} : { transport: "cookie" };
    const request = (path, options = {}) => withToken((token) => send(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } }));
    return {
        events,
        isExpected,
        request,
        accessToken,
        signIn: (credentials) => inOneTab(async () => {
            try {
                begin(await stored(await post("", { ...credentials, ...inCookie })));
            }
            catch (error) {
                if (error.code === "email_not_verified") {
                    await step("login", credentials); // sends a code for verifyEmail()
                }
                throw error;
            }
        }),
        signUp: (credentials) => inOneTab(async () => ((await step("signup", credentials)) ? "signed_in" : "verify_email")),
        verifyEmail: (key) => inOneTab(async () => void (await step("email/verify", { key }))),
        signOut: () => inOneTab(async () => {
            try {
                const body = await refreshToken();
                if (body)
                    await post("blacklist/", body);
            }
            catch (error) {
                if (!isUnauthorized(error))
                    throw error; // the session had already ended
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
        changePassword: (old_password, new_password) => withToken((token) => inOneTab(async () => {
            const headers = { Authorization: `Bearer ${token}`, ...(await csrf()) };
            const body = { old_password, new_password, ...inCookie };
            const access = await stored(await send("/api/password/change/", { headers, body }));
            keep(access);
            tell({ access });
        })),
        me: () => request("/api/me/"),
        updateMe: (body) => request("/api/me/", { method: "PATCH", body }),
        sessions: () => request("/api/sessions/"),
        endSession: async (id) => void (await request(`/api/sessions/${id}/`, { method: "DELETE" })),
        endOtherSessions: async () => (await request("/api/sessions/", { method: "DELETE" })).ended,
    };
}
function isUnauthorized(error) {
    return error instanceof ApiError && error.status === 401;
}
function sleep(milliseconds) {
    return new Promise((go) => setTimeout(go, milliseconds));
}
function claims(token = "") {
    try {
        return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    }
    catch {
        return {}; // no token of ours
    }
}
function csrfCookie() {
    const find = (name) => globalThis.document?.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1];
    // Prefer the name with the prefix: a subdomain can set a cookie with the plain name.
    return find("__Host-csrftoken") ?? find("csrftoken");
}
