/** The page that sends a link: the address that was typed on the sign-in page is there already. */

const field = document.querySelector("[name=email]");
field.value ||= sessionStorage.getItem("email") ?? "";
sessionStorage.removeItem("email");
