/** On every page: the navigation knows whether this browser is signed in, and signs it out. */

import { inWords, whenPressed } from "./forms.js";
import { events, isExpected, signOut } from "./session.js";

export const ACCOUNT = document.querySelector("nav [data-account]").href;
export const LOGIN = document.querySelector("nav [data-login]").href;

/** Go to the sign-in page, which says why. The back button does not lead back. */
export function leave(why) {
  location.replace(`${LOGIN}?signed-out=${why}`);
}

function show() {
  document.documentElement.dataset.signedIn = isExpected();
}

events.addEventListener("signedin", show);
events.addEventListener("signedout", show);
whenPressed(
  document.getElementById("sign-out"),
  async () => {
    await signOut();
    leave("here");
  },
  (words) => {
    document.getElementById("notice").textContent = words;
  },
);
window.addEventListener("pageshow", (event) => {
  show();
  if (event.persisted) location.reload(); // the browser kept the page as it was when it was left
});
