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
    field.spellcheck = false; // some browsers send the content of text fields to a spelling service
    field.autocapitalize = "none";
  }
  button.addEventListener("click", () => reveal(fields[0].type === "password"));
  form.addEventListener("submit", () => reveal(false)); // browsers store the values of text fields
  reveal(false);
  fields.at(-1).after(button);
}
