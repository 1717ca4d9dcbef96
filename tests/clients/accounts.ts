// Sign-up and a second factor with openapi-typescript and openapi-fetch, from both descriptions.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import createClient from "openapi-fetch";
import type { paths as AccountPaths } from "./accounts-schema.js";
import type { paths } from "./schema.js";

const [, , baseUrl, mails] = process.argv;
assert(baseUrl && mails);
const [email, password] = ["grace@example.com", "a long and good password"];
const accounts = createClient<AccountPaths>({ baseUrl });
const api = createClient<paths>({ baseUrl });
const app = { path: { client: "app" } } as const;

function codeOfTheMail(folder: string): string {
  const files = readdirSync(folder).map((name) => join(folder, name));
  files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  const code = /^[A-Z0-9]+(?:-[A-Z0-9]+)*$/m.exec(readFileSync(files.at(-1)!, "utf8"));
  assert(code);
  return code[0];
}

function totp(secret: string): string {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const key = Buffer.from(bits.join("").match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest[digest.length - 1]! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

// Sign up, and verify the address with the code of the e-mail.
const pending = await accounts.POST("/_allauth/{client}/v1/auth/signup", {
  params: app,
  body: { email, password },
});
assert(pending.error && "meta" in pending.error && pending.error.meta.session_token);
let headers = { "X-Session-Token": pending.error.meta.session_token };
const verified = await accounts.POST("/_allauth/{client}/v1/auth/email/verify", {
  params: app,
  headers,
  body: { key: codeOfTheMail(mails) },
});
assert(verified.data);
const { session_token, access_token, refresh_token, expires_in } = verified.data.meta;
assert(access_token && refresh_token && expires_in);
if (session_token) {
  headers = { "X-Session-Token": session_token };
}
const authorized = { headers: { Authorization: `Bearer ${access_token}` } };
assert.equal((await api.GET("/api/me/", authorized)).data?.email, email);

// Set up a second factor. A change that gives access to the account needs the password again.
const again = await accounts.POST("/_allauth/{client}/v1/auth/reauthenticate", {
  params: app,
  headers,
  body: { password },
});
assert(again.data);
const totpPath = "/_allauth/{client}/v1/account/authenticators/totp";
const setup = await accounts.GET(totpPath, { params: app, headers });
assert(setup.error && "meta" in setup.error);
const { secret } = setup.error.meta;
const body = { code: totp(secret) };
assert((await accounts.POST(totpPath, { params: app, headers, body })).data);

// Sign in with it, refresh, and sign out.
const refused = await api.POST("/api/token/", { body: { email, password } });
assert(refused.error && "code" in refused.error);
assert.equal(refused.error.code, "mfa_required");
const signedIn = await api.POST("/api/token/", { body: { email, password, code: totp(secret) } });
assert(signedIn.data?.refresh);
const refreshed = await api.POST("/api/token/refresh/", {
  body: { refresh: signedIn.data.refresh },
});
assert(refreshed.data?.refresh);
for (const refresh of [refreshed.data.refresh, refresh_token]) {
  assert.deepEqual((await api.POST("/api/token/blacklist/", { body: { refresh } })).data, {});
}
assert.equal((await api.GET("/api/me/", authorized)).error?.code, "token_not_valid");
