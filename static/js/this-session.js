/** The session of this browser, which all pages share. */

import { createSession } from "./session.js";

export const session = createSession();
