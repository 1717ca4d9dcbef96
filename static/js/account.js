/** The account page: the fields of the user's profile, the sessions, and what happened lately. */

import { messageOf, onClick, onSubmit, showMessage } from "./forms.js";
import { SignedOut } from "./session.js";
import { requireSignIn } from "./site.js";
import { session } from "./this-session.js";

const { gettext, interpolate, ngettext } = window;
const page = document.getElementById("private");
const list = document.getElementById("sessions");
const showAll = document.getElementById("show-all");
const sure = document.getElementById("sure");
const endOthersButton = document.getElementById("end-others");
const endAllButton = document.getElementById("end-all-now");
const row = document.getElementById("session");
const activityList = document.getElementById("activity");
const showAllActivity = document.getElementById("show-all-activity");
const activityRow = document.getElementById("happened");
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

const KINDS = {
  sign_in: gettext("Signed in"),
  sign_out: gettext("Signed out"),
  reuse: gettext("A used token was sent again: signed out"),
  password: gettext("The password was changed: signed out"),
  support: gettext("Signed out by support"),
  reported: gettext("You reported: this wasn't me"),
  ended: gettext("Session ended"),
};

const INITIALLY_LISTED = 10; // rows of a list before "Show all" is pressed
const CONFIRMED = "confirmed"; // the key of the id of the button whose work waits for a confirmation
let listsAll = false;
let sessions = [];

async function showSessions() {
  sessions = await session.sessions();
  sessions.sort((one, other) => other.current - one.current); // the current one first, the others in the API's order
  list.replaceChildren(...sessions.slice(0, listsAll ? undefined : INITIALLY_LISTED).map(line));
  showButtons();
}

function showButtons() {
  const listed = list.querySelectorAll(":scope > :not(.ended)").length;
  showAll.hidden = listed === sessions.length;
  showAll.textContent = interpolate(gettext("Show all %s sessions"), [sessions.length]);
  endOthersButton.hidden = !sessions.some((entry) => !entry.current);
}

function line(entry) {
  const item = rowOf(row, entry);
  item.classList.toggle("current", entry.current);
  for (const name of ["signed_in", "last_active"]) {
    const time = item.querySelector(`[data-${name.replace("_", "-")}]`);
    if (entry[name]) showTime(time, entry[name]);
    else time.parentElement.remove();
  }
  const button = item.querySelector("button");
  if (entry.current) {
    button.remove(); // the current session is ended by the button in the navigation
  } else {
    item.querySelector("[data-current]").remove();
    // Each button needs a unique accessible name, which starts with the visible text.
    const { device, ip, signed_in } = entry;
    const facts = [device, ip, signed_in && when.format(new Date(signed_in))].filter(Boolean);
    button.ariaLabel = interpolate(gettext("Sign out: %s"), [facts.join(", ")]);
    onClick(button, () => end(entry, item));
  }
  return item;
}

/** Return a row of the template with the icon, the device and the address. */
function rowOf(template, { device, device_type, ip }) {
  const item = template.content.firstElementChild.cloneNode(true);
  const icon = item.querySelector("use");
  icon.setAttribute("href", `${icon.getAttribute("href")}#${device_type}`);
  item.querySelector("[data-device]").textContent = device;
  const address = item.querySelector("[data-ip]");
  if (ip) address.textContent = ip;
  else address.remove();
  return item;
}

async function showActivity() {
  const all = await session.request("/api/me/activity/");
  const rows = all.map(activityLine);
  activityList.replaceChildren(...rows.slice(0, INITIALLY_LISTED));
  activityList.hidden = all.length === 0;
  document.getElementById("no-activity").hidden = all.length > 0;
  showAllActivity.hidden = rows.length <= INITIALLY_LISTED;
  showAllActivity.onclick = () => {
    activityList.replaceChildren(...rows);
    showAllActivity.hidden = true;
    activityList.focus({ preventScroll: true }); // the pressed button is hidden now
  };
}

function activityLine(happened) {
  const item = rowOf(activityRow, happened);
  item.querySelector("[data-kind]").textContent = KINDS[happened.kind] ?? KINDS.ended;
  showTime(item.querySelector("[data-at]"), happened.at);
  const note = item.querySelector("[data-note]");
  if (happened.note) note.textContent = happened.note;
  else note.remove();
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
async function end(entry, item) {
  await session.endSession(entry.id);
  list.focus({ preventScroll: true }); // the pressed button is hidden now
  item.classList.add("ended");
  sessions = sessions.filter((each) => each !== entry);
  showButtons();
  item.querySelector(".notice").addEventListener("close", () => item.remove());
  showMessage(interpolate(gettext("Signed out: %s."), [entry.device]), { near: item });
}

async function endOthers() {
  const ended = await session.endOtherSessions();
  const many = ngettext("%s other device was signed out.", "%s other devices were signed out.", ended);
  await showSessions();
  showMessage(interpolate(many, [ended]), { near: list });
  list.focus({ preventScroll: true });
}

/**
 * Return the work of a button. If the sign-in is too old for it, the browser goes to the page that
 * asks for the password and leads back here, and the work is done then.
 */
function confirmed(button, work) {
  return async () => {
    try {
      await work();
    } catch (error) {
      if (error.code !== "reauthentication_required") throw error;
      const { account, reauthenticate } = document.documentElement.dataset;
      sessionStorage.setItem(CONFIRMED, button.id);
      const to = new URL(reauthenticate, location.origin);
      to.searchParams.set("next", `${account}#${button.id}`);
      location.assign(to);
      await new Promise(() => {}); // the button is busy until the page is left
    }
  };
}

/**
 * Press the button again whose work was confirmed. Its id is in the URL after the confirmation
 * only, and in the storage only if this tab asked for one: a link alone does nothing.
 */
function continueAfterConfirmation() {
  const id = sessionStorage.getItem(CONFIRMED);
  sessionStorage.removeItem(CONFIRMED);
  if (!id || location.hash !== `#${id}`) return;
  history.replaceState(null, "", location.pathname);
  document.getElementById(id).click();
}

async function showAllSessions() {
  listsAll = true;
  await showSessions();
  list.children[INITIALLY_LISTED]?.querySelector("button")?.focus(); // the first additional one
}

async function endAll() {
  await session.request("/api/sessions/?all=true", { method: "DELETE" });
  document.getElementById("sign-out").requestSubmit(); // this also deletes the cookies
}

async function show() {
  const [me] = await Promise.all([session.me(), showSessions(), showActivity()]);
  for (const field of profile.elements) field.value = me[field.name] ?? "";
  showMessage("");
  document.getElementById("loading")?.remove();
  page.hidden = false;
  continueAfterConfirmation();
}

session.events.addEventListener("signedout", () => page.remove());
onSubmit(profile, async (body) => {
  await session.updateMe(body);
  profile.querySelector("[role=status]").textContent = gettext("Saved.");
});
onClick(endOthersButton, confirmed(endOthersButton, endOthers));
onClick(showAll, showAllSessions);
document.getElementById("end-all").addEventListener("click", () => sure.showModal());
onClick(endAllButton, confirmed(endAllButton, endAll));

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
  for (const time of page.querySelectorAll("time")) time.firstChild.data = ago(time.dateTime);
}, 60_000);
