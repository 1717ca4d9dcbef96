/** The form of the API page that signs in and fills Swagger UI's "Authorize" with the access token. */

import { createSession, tokenTransport } from "./session.js";
import { session } from "./this-session.js";

const section = document.getElementById("sign-in");
const form = section.querySelector("form");
const [failure, success] = section.querySelectorAll("[role=alert], [role=status]");
const useSession = document.getElementById("use-session");
const code = form.elements.code;
let token = null;

/** Fill the token in, if the selected definition is loaded and has this scheme. */
function fillIn() {
  if (token) ui.preauthorizeApiKey("bearer", token); // `ui` is that of drf-spectacular's script
}

/** Open a session, beside any that this browser has, and return its access token. */
async function signIn() {
  const opened = createSession({ transport: tokenTransport(), fetch: inLanguageOfPage });
  try {
    await opened.signIn(Object.fromEntries(new FormData(form)));
    form.reset();
    return await opened.accessToken();
  } catch (error) {
    if (error.code === "mfa_required") {
      code.closest("label").hidden = false;
      code.focus();
    }
    throw error;
  }
}

function inLanguageOfPage(url, options) {
  return fetch(url, { ...options, headers: { ...options.headers, "Accept-Language": document.documentElement.lang } });
}

async function authorizeBy(button, getToken) {
  if (button.ariaBusy === "true") return;
  failure.textContent = success.textContent = "";
  button.ariaBusy = "true"; // not `disabled`, which would lose the keyboard focus
  try {
    token = await getToken();
    fillIn();
    success.textContent = "You are signed in. When the access token expires, sign in again.";
  } catch (error) {
    failure.textContent = error.message;
  } finally {
    button.ariaBusy = null;
  }
}

document.addEventListener("definition", fillIn); // Swagger UI forgets tokens with each definition
form.addEventListener("submit", (event) => {
  event.preventDefault();
  authorizeBy(event.submitter, signIn);
});
useSession.addEventListener("click", () => authorizeBy(useSession, session.accessToken));
useSession.hidden = !session.isExpected();
form.querySelector("[type=submit]").disabled = false; // disabled in the HTML: it needs this script
