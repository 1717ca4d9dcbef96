/** The sign-up page. */

import { onSubmit } from "./forms.js";
import { events, resume, send, signIn } from "./session.js";
import { destination } from "./site.js";

const enter = () => location.replace(destination());
const form = document.getElementById("signup");

resume().then(enter, () => {});
events.addEventListener("signedin", enter);
onSubmit(form, async (user) => {
  await send("/api/register/", { method: "POST", body: user });
  try {
    await signIn(user.email, user.password);
  } catch (error) {
    if (error.status !== 401) throw error;
    // The address has an account. The page must not reveal that: its owner gets an e-mail.
    form.hidden = true;
    const message = document.getElementById("check-mail");
    message.hidden = false;
    message.focus(); // the button that was pressed is gone
    return;
  }
  enter();
});
