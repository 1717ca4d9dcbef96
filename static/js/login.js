/** The sign-in page. */

import { onSubmit } from "./forms.js";
import { events, resume, signIn } from "./session.js";
import { destination } from "./site.js";

const enter = () => location.replace(destination());
const here = new URL(location);
const why = here.searchParams.get("signed-out");
const reason = [...document.querySelectorAll("[data-signed-out]")].find(
  (line) => line.dataset.signedOut === why,
);

if (reason) {
  reason.hidden = false;
  here.searchParams.delete("signed-out");
  history.replaceState(null, "", here);
} else {
  resume().then(enter, () => {}); // a signed-in user leaves this page
}
events.addEventListener("signedin", enter); // in another tab
const form = document.getElementById("login");
document.getElementById("forgot").addEventListener("click", () => {
  sessionStorage.setItem("email", form.elements.email.value); // for reset.js; in no address or log
});
onSubmit(form, async ({ email, password }) => {
  await signIn(email, password);
  enter();
});
