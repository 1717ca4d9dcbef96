/** The page that sends a link. It takes over the address typed on the sign-in page. */

const field = document.querySelector("[name=email]");
field.value ||= sessionStorage.getItem("email") ?? "";
sessionStorage.removeItem("email");
