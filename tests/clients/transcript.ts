// The session of docs/api.md with the client of openapi-typescript and openapi-fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const [, , baseUrl] = process.argv;
assert(baseUrl);
const api = createClient<paths>({ baseUrl });

const signedIn = await api.POST("/api/token/", {
  body: { email: "demo@example.com", password: "demo-password" },
});
assert(signedIn.data?.refresh);
const { access, refresh: first } = signedIn.data;
const headers = { Authorization: `Bearer ${access}` };

const me = await api.GET("/api/me/", { headers });
assert(me.data);
const name: string = me.data.name;
assert.equal(name, "Demo");

const refreshed = await api.POST("/api/token/refresh/", { body: { refresh: first } });
assert(refreshed.data?.refresh);
const second: string = refreshed.data.refresh;

const signedOut = await api.POST("/api/token/blacklist/", { body: { refresh: second } });
assert.deepEqual(signedOut.data, {});

const refused = await api.POST("/api/token/refresh/", { body: { refresh: second } });
assert.equal(refused.response.status, 401);
assert.equal(refused.error?.code, "token_not_valid");

const unknown = await api.GET("/api/me/", { headers });
assert.equal(unknown.error?.code, "token_not_valid");

// Without a token the refresh cookie is meant, which this client does not have.
const incomplete = await api.POST("/api/token/refresh/", { body: {} });
assert(incomplete.error && !("detail" in incomplete.error));
const messages: string[] | undefined = incomplete.error["refresh"];
assert.deepEqual(messages, ["This field is required."]);
