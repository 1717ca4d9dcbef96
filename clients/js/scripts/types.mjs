/**
 * Write src/api.ts and src/accounts.ts from the API descriptions of a running server.
 *
 *   SITE=http://localhost:8000 npm run types
 *
 * With --check, compare instead of writing. Only the schemas are kept, and of django-allauth's
 * description only those that the client uses: the whole would be 5,000 lines.
 */

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const SITE = process.env.SITE ?? "http://localhost:8000";
const NOTE = "// Written by `npm run types`, from the API's description. Do not edit.\n\n";
const ACCOUNTS = ["AuthenticatedResponse", "AuthenticationResponse", "ErrorResponse", "Login", "Signup", "VerifyEmail"];

const files = {
  "src/api.ts": await typesOf("/api/schema/?format=json"),
  "src/accounts.ts": await typesOf("/_allauth/openapi.json", ACCOUNTS),
};
for (const [file, types] of Object.entries(files)) {
  const url = new URL(`../${file}`, import.meta.url);
  if (!process.argv.includes("--check")) await writeFile(url, types);
  else if ((await readFile(url, "utf8")) !== types) {
    console.error(`${file} differs from the description of ${SITE}. Run: npm run types`);
    process.exitCode = 1;
  }
}

async function typesOf(path, names) {
  const answer = await fetch(SITE + path, { headers: { Accept: "application/json, */*" } });
  if (!answer.ok) throw new Error(`${SITE}${path} answered ${answer.status}.`);
  const { openapi, info, components } = await answer.json();
  const all = components.schemas;
  const schemas = names ? withThoseTheyReferTo(names, all) : all;
  return NOTE + astToString(await openapiTS({ openapi, info, paths: {}, components: { schemas } }));
}

function withThoseTheyReferTo(names, all) {
  const found = {};
  for (const waiting = [...names]; waiting.length; ) {
    const name = waiting.pop();
    if (name in found) continue;
    found[name] = all[name];
    for (const [, other] of JSON.stringify(all[name]).matchAll(/schemas\/(\w+)"/g)) waiting.push(other);
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in found)); // in their order
}
