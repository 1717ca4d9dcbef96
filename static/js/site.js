/** Loaded on every page: navigation and sign-out. */

import "./passwords.js";
import { busyWhile, messageOf, showMessage } from "./forms.js";
import { SignedOut } from "./session.js";
import { session } from "./this-session.js";

const { login: LOGIN, account: ACCOUNT, signedIn } = document.documentElement.dataset;
const signOutForm = document.getElementById("sign-out"); // null unless the page was rendered for a user
if (signedIn === "true") session.expect();
if (location.pathname === LOGIN) {
  session.events.addEventListener("present", () => location.replace(destination()));
}

const { gettext } = window;
let isLeaving = false; // the first reason counts

/**
 * Go to the sign-in page, which shows the reason. Unless the user signed out here, the sign-in leads
 * back to this page. The browser's back button does not return to it.
 */
async function leave(why) {
  if (isLeaving) return;
  isLeaving = true;
  await signOutOfTheServer();
  const to = new URL(LOGIN, location.origin);
  if (why) to.searchParams.set("signed_out", why);
  if (why !== "here") {
    to.searchParams.set("next", location.pathname + location.search + location.hash);
  }
  location.replace(to);
}

/**
 * End the Django session. If only the refresh cookie were missing, the sign-in page would redirect
 * back here. If the user has signed in again in another tab, the server refuses this form's CSRF
 * token, and the new session stays.
 */
async function signOutOfTheServer() {
  if (!signOutForm) return;
  const body = new FormData(signOutForm);
  await fetch(signOutForm.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
}

/**
 * Wait until this browser is signed in. Start your own pages with it (docs/pages.md):
 *
 *   await requireSignIn();
 *   const me = await session.request("/api/me/");
 *
 * It never rejects. A browser that is not signed in goes to the sign-in page, which leads back.
 * So does a browser whose session ends later; the page can ignore the SignedOut that its calls throw
 * then. Offline, it shows a message and continues when the browser is online again. If another user
 * signs in, it reloads the page.
 */
export async function requireSignIn() {
  session.events.addEventListener("signedin", () => location.reload());
  session.events.addEventListener("signedout", (event) => leave(event.detail));
  for (const kind of ["error", "unhandledrejection"]) {
    window.addEventListener(kind, (event) => {
      if ((event.error ?? event.reason) instanceof SignedOut) event.preventDefault();
    });
  }
  for (;;) {
    try {
      return await session.resume();
    } catch (error) {
      if (error instanceof SignedOut) {
        leave("");
        return new Promise(() => {}); // never resolves, because the page is being left
      }
      showMessage(messageOf(error), { stays: true });
      await new Promise((go) => window.addEventListener("online", go, { once: true }));
      showMessage("");
    }
  }
}

/** Return where to go after signing in: to `next`, if it is a path of this site, or the account. */
export function destination() {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  // Browsers read a backslash as a slash, and skip tabs and line ends: "/\evil" is "//evil".
  const isPath = /^\/(?![/\\])/.test(next) && URL.canParse(next, location.origin);
  const url = isPath && new URL(next, location.origin);
  return url && url.origin === location.origin ? url.href : ACCOUNT;
}

signOutForm?.addEventListener("submit", (event) => {
  event.preventDefault(); // without this script, the form itself signs out
  const button = signOutForm.querySelector("button");
  busyWhile(button, session.signOut).then(() => leave("here"), (error) => showMessage(messageOf(error), { stays: true }));
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // restored from the browser's back/forward cache
});
document.addEventListener("allauth.error", (event) => {
  event.preventDefault(); // otherwise the browser logs it to the console
  showMessage(gettext("That did not work. Try again, or use another way to sign in."), { stays: true });
});
