import { createSession } from "token-blacklist-client";

// One for the whole app. The refresh token is in a cookie that no script can read, and the access
// token in the memory of this object.
export const session = createSession();

// Django's sign-in page leads back to this address (SignIn.tsx): ask whether a user is signed in now.
if (location.search === "?signed-in") {
  history.replaceState(null, "", location.pathname);
  session.expect();
}
