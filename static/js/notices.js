/** Messages in live regions: the page's, or the one of a card or a section. Each can be closed. */

const SHOWN_FOR = 8000; // milliseconds
const pageRegion = document.getElementById("notice");
const timers = new WeakMap();

/** Return the live region of the closest ancestor that has one. */
function regionNear(element) {
  const around = element?.closest(":has(> .notice > [role=status])");
  return around?.querySelector(":scope > .notice > [role=status]") ?? pageRegion;
}

/**
 * Show a message in the live region closest to the element `near`, or in the page's. It pushes the
 * content down instead of covering it. It goes by itself, but never while it is focused or hovered,
 * and not at all if it `stays`. An empty text clears the region.
 */
export function showMessage(text, { near, stays = false } = {}) {
  const region = regionNear(near);
  clearTimeout(timers.get(region));
  region.textContent = text;
  if (!text) return;
  region.parentElement.scrollIntoView({ block: "nearest" });
  if (!stays) goLater(region);
}

function goLater(region) {
  const go = () => (region.parentElement.matches(":hover, :focus-within") ? goLater(region) : close(region));
  timers.set(region, setTimeout(go, SHOWN_FOR));
}

function close(region) {
  region.textContent = "";
  region.parentElement.dispatchEvent(new Event("close"));
}

document.addEventListener("click", ({ target }) => {
  const region = target.closest(".notice > .close")?.parentElement.querySelector("[role=status]");
  if (!region) return;
  region.closest("[tabindex]").focus({ preventScroll: true }); // the pressed button is hidden now
  close(region);
});
