/** The account page: the fields of the user's profile, and the sessions. */

import { messageOf, onClick, onSubmit, showMessage } from "./forms.js";
import { events, request, SignedOut } from "./session.js";
import { requireSignIn } from "./site.js";

const { gettext, interpolate, ngettext } = window;
const page = document.getElementById("private");
const list = document.getElementById("sessions");
const showAll = document.getElementById("show-all");
const sure = document.getElementById("sure");
const row = document.getElementById("session");
const profile = document.getElementById("profile");
const when = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "short",
});

const INITIALLY_LISTED = 5; // sessions listed before "Show all" is pressed
let listsAll = false;

async function showSessions() {
  const sessions = await request("/api/sessions/");
  sessions.sort((one, other) => other.current - one.current); // the current one first, the others in the API's order
  const listed = listsAll ? sessions : sessions.slice(0, INITIALLY_LISTED);
  list.replaceChildren(...listed.map(line));
  showAll.hidden = listed.length === sessions.length;
  showAll.textContent = interpolate(gettext("Show all %s sessions"), [sessions.length]);
  const others = sessions.some((session) => !session.current);
  document.getElementById("end-others").hidden = !others;
}

function line(session) {
  const item = row.content.cloneNode(true);
  const fill = (name, text) => {
    item.querySelector(`[data-${name}]`).textContent = text;
  };
  fill("device", session.device);
  fill("ip", session.ip ?? gettext("unknown"));
  for (const name of ["signed_in", "last_active"]) {
    const time = item.querySelector(`[data-${name.replace("_", "-")}]`);
    time.dateTime = session[name] ?? "";
    time.textContent = session[name] ? when.format(new Date(session[name])) : gettext("unknown");
  }
  const button = item.querySelector("button");
  if (session.current) {
    button.remove(); // the current session is ended by the button in the navigation
  } else {
    item.querySelector("[data-current]").remove();
    // Each button needs a unique accessible name, which starts with the visible text.
    const { device, ip, signed_in } = session;
    const facts = [device, ip, signed_in && when.format(new Date(signed_in))].filter(Boolean);
    button.ariaLabel = interpolate(gettext("Sign out: %s"), [facts.join(", ")]);
    onClick(button, () => end(session));
  }
  return item;
}

async function end(session) {
  await request(`/api/sessions/${session.id}/`, { method: "DELETE" });
  showMessage(interpolate(gettext("Signed out: %s."), [session.device]));
  await showSessions();
  list.focus({ preventScroll: true }); // the pressed button no longer exists
}

async function endOthers() {
  const { ended } = await request("/api/sessions/", { method: "DELETE" });
  const many = ngettext("%s other device was signed out.", "%s other devices were signed out.", ended);
  showMessage(interpolate(many, [ended]));
  await showSessions();
  list.focus({ preventScroll: true });
}

async function showAllSessions() {
  listsAll = true;
  await showSessions();
  list.children[INITIALLY_LISTED]?.querySelector("button")?.focus(); // the first additional one
}

async function endAll() {
  await request("/api/sessions/?all=true", { method: "DELETE" });
  document.getElementById("sign-out").requestSubmit(); // this also deletes the cookies
}

async function show() {
  const [me] = await Promise.all([request("/api/me/"), showSessions()]);
  for (const field of profile.elements) field.value = me[field.name] ?? "";
  showMessage("");
  document.getElementById("loading")?.remove();
  page.hidden = false;
}

events.addEventListener("signedout", () => page.remove());
onSubmit(profile, async (body) => {
  await request("/api/me/", { method: "PATCH", body });
  profile.querySelector("[role=status]").textContent = gettext("Saved.");
});
onClick(document.getElementById("end-others"), endOthers);
onClick(showAll, showAllSessions);
document.getElementById("end-all").addEventListener("click", () => sure.showModal());
onClick(document.getElementById("end-all-now"), endAll);

/** Show the page, now or when the browser is online again. */
function start() {
  show().catch((error) => {
    if (error instanceof SignedOut) return;
    showMessage(messageOf(error));
    window.addEventListener("online", start, { once: true });
  });
}
requireSignIn().then(start);
