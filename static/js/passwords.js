/** Password fields: a button that shows the password, and the site's rules, checked while typing. */

const { gettext } = window;

for (const form of document.forms) {
  const fields = [...form.querySelectorAll("[type=password]")];
  if (fields.length) addButton(form, fields);
}

function addButton(form, fields) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  const reveal = (yes) => {
    for (const field of fields) field.type = yes ? "text" : "password";
    button.textContent = yes ? gettext("Hide password") : gettext("Show password");
  };
  for (const field of fields) {
    field.spellcheck = false; // while it is a text field, some browsers send it to a service
    field.autocapitalize = "none";
  }
  button.addEventListener("click", () => reveal(fields[0].type === "password"));
  form.addEventListener("submit", () => reveal(false)); // browsers remember what text fields held
  reveal(false);
  fields.at(-1).after(button);
}

/** By the names of Django's validators. Only the server knows the common passwords. */
const CHECKS = {
  MinimumLengthValidator: (password, rule) => [...password].length >= Number(rule.dataset.least),
  NumericPasswordValidator: (password) => !/^\p{Nd}+$/u.test(password),
};
const rules = [...document.querySelectorAll("[data-rule]")].filter(
  (rule) => rule.dataset.rule in CHECKS,
);
const chosen = document.querySelector("[autocomplete=new-password]");

/** Mark the rules that are met; mark broken rules only after the field loses focus. */
function check(isDone) {
  for (const rule of rules) {
    const isMet = CHECKS[rule.dataset.rule](chosen.value, rule);
    if (chosen.value && (isMet || isDone)) rule.dataset.met = isMet;
    else delete rule.dataset.met;
  }
}
chosen?.addEventListener("input", () => check(false));
chosen?.addEventListener("change", () => check(true));
chosen?.form.addEventListener("reset", () => setTimeout(check)); // once it is empty
