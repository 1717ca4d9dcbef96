import { createSession } from "token-blacklist-client";

// One for the whole app. The refresh token is in a cookie that no script can read, and the access
// token in the memory of this object.
export const session = createSession();
