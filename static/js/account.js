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
const language = document.documentElement.lang;
const when = new Intl.DateTimeFormat(language, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  timeZoneName: "short",
});
const since = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const UNITS = { year: 31_536_000, month: 2_592_000, day: 86_400, hour: 3600, minute: 60 }; // in seconds

const INITIALLY_LISTED = 10; // sessions listed before "Show all" is pressed
let listsAll = false;
let sessions = [];

async function showSessions() {
  sessions = await request("/api/sessions/");
  sessions.sort((one, other) => other.current - one.current); // the current one first, the others in the API's order
  list.replaceChildren(...sessions.slice(0, listsAll ? undefined : INITIALLY_LISTED).map(line));
  showButtons();
}

function showButtons() {
  const listed = list.querySelectorAll(":scope > :not(.ended)").length;
  showAll.hidden = listed === sessions.length;
  showAll.textContent = interpolate(gettext("Show all %s sessions"), [sessions.length]);
  document.getElementById("end-others").hidden = !sessions.some((session) => !session.current);
}

function line(session) {
  const item = row.content.firstElementChild.cloneNode(true);
  item.classList.toggle("current", session.current);
  const icon = item.querySelector("use");
  icon.setAttribute("href", `${icon.getAttribute("href")}#${session.device_type}`);
  item.querySelector("[data-device]").textContent = session.device;
  const ip = item.querySelector("[data-ip]");
  if (session.ip) ip.textContent = session.ip;
  else ip.remove();
  for (const name of ["signed_in", "last_active"]) {
    const time = item.querySelector(`[data-${name.replace("_", "-")}]`);
    if (session[name]) showTime(time, session[name]);
    else time.parentElement.remove();
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
    onClick(button, () => end(session, item));
  }
  return item;
}

/** Show how long ago it was; the exact time on hover, and for screen readers after it. */
function showTime(time, moment) {
  time.dateTime = moment;
  time.title = when.format(new Date(moment));
  const exact = document.createElement("span");
  exact.className = "visually-hidden";
  exact.textContent = ` (${time.title})`;
  time.replaceChildren(ago(moment), exact);
}

function ago(moment) {
  const seconds = Math.max(0, Date.now() - new Date(moment)) / 1000;
  const unit = Object.keys(UNITS).find((each) => seconds >= UNITS[each]);
  return unit ? since.format(-Math.floor(seconds / UNITS[unit]), unit) : since.format(0, "second");
}

/** End a session. A message takes the place of its row, which then goes with the message. */
async function end(session, item) {
  await request(`/api/sessions/${session.id}/`, { method: "DELETE" });
  list.focus({ preventScroll: true }); // the pressed button is hidden now
  item.classList.add("ended");
  sessions = sessions.filter((each) => each !== session);
  showButtons();
  item.querySelector(".notice").addEventListener("close", () => item.remove());
  showMessage(interpolate(gettext("Signed out: %s."), [session.device]), { near: item });
}

async function endOthers() {
  const { ended } = await request("/api/sessions/", { method: "DELETE" });
  const many = ngettext("%s other device was signed out.", "%s other devices were signed out.", ended);
  await showSessions();
  showMessage(interpolate(many, [ended]), { near: list });
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
    showMessage(messageOf(error), { stays: true });
    window.addEventListener("online", start, { once: true });
  });
}
requireSignIn().then(start);
setInterval(() => {
  for (const time of list.querySelectorAll("time")) time.firstChild.data = ago(time.dateTime);
}, 60_000);
