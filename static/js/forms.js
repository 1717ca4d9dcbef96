/** Forms and buttons that show progress and errors. */

import { showMessage } from "./notices.js";
import { Offline, SignedOut } from "./session.js";

export { showMessage };

const { gettext, interpolate, ngettext } = window; // Django's JavaScriptCatalog

export function messageOf(error) {
  if (error instanceof Offline) {
    return gettext("You seem to be offline. Try again when you are online.");
  }
  if (error.status === 429) {
    const many = ngettext(
      "Too many attempts. Try again in %s second.",
      "Too many attempts. Try again in %s seconds.",
      error.seconds,
    );
    return interpolate(many, [error.seconds]);
  }
  if (error.code === "no_active_account") {
    return gettext("The e-mail address or the password is wrong.");
  }
  if (error.status >= 500 || !error.status) {
    return gettext("Something went wrong on our side. Please try again.");
  }
  return error.message;
}

/** Call work(values) when the form is submitted. Show that it is busy, then any errors. */
export function onSubmit(form, work) {
  const button = form.querySelector("[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    showMessage("");
    clear(form);
    await busyWhile(button, () => work(Object.fromEntries(new FormData(form)))).catch((error) => {
      if (!(error instanceof SignedOut)) showErrors(form, error);
    });
  });
  button.disabled = false; // disabled in the HTML, because the form needs this script
}

/** Call work() when the button is pressed. Show that it is busy, then any errors. */
export function onClick(button, work) {
  button.addEventListener("click", () => {
    showMessage("", { near: button });
    busyWhile(button, work).catch((error) => {
      if (!(error instanceof SignedOut)) showMessage(messageOf(error), { near: button, stays: true });
    });
  });
}

/** Mark the button as busy until work() is done. */
export async function busyWhile(button, work) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true"; // not `disabled`, which would lose the keyboard focus
  try {
    await work();
  } finally {
    button.ariaBusy = null;
  }
}

function clear(form) {
  form.querySelector("[role=alert]").replaceChildren();
  form.querySelector("[role=status]")?.replaceChildren();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const list of form.querySelectorAll(".errorlist")) list.replaceChildren();
}

function showErrors(form, error) {
  const fields = Object.entries(error.fields ?? {}).filter(([name]) => form.elements[name]);
  for (const [name, messages] of fields) {
    form.elements[name].setAttribute("aria-invalid", "true");
    fill(document.getElementById(`${form.elements[name].id}-error`), [messages].flat());
  }
  if (fields.length) form.elements[fields[0][0]].focus();
  else {
    const list = document.createElement("ul");
    list.className = "errorlist";
    fill(list, [messageOf(error)]);
    form.querySelector("[role=alert]").replaceChildren(list);
  }
}

function fill(list, messages) {
  const lines = messages.map((message) => Object.assign(document.createElement("li"), { textContent: message }));
  list.replaceChildren(...lines);
}
