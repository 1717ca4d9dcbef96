/** Password fields: a button that shows the password. */

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
