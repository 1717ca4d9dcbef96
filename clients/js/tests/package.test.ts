/** The package as npm packs it: its types resolve in a strict project. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const CONSUMER = `
import { ApiError, createSession, type ErrorCode, type Me, tokenTransport } from "token-blacklist-client";
import { useSession } from "token-blacklist-client/react";

const session = createSession({ baseUrl: "https://app.example.com", transport: tokenTransport() });
session.events.addEventListener("signedout", ({ detail }) => {
  const reason: "here" | "elsewhere" | "over" = detail;
  console.log(reason);
});
const me: Me = await session.me();
const email: string = me.email;
const code: ErrorCode | undefined = new ApiError(401, { detail: email }, undefined).code;
console.log(code === "mfa_required");
// @ts-expect-error: not a code of the API
console.log(code === "mfa_requird");
export const useUser = () => useSession(session).user?.name.toUpperCase();
`;
const folder = mkdtempSync(join(tmpdir(), "consumer-"));

beforeAll(() => {
  const modules = join(folder, "node_modules");
  const installed = join(modules, "token-blacklist-client");
  mkdirSync(installed, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { encoding: "utf8" });
  execFileSync("tar", ["xzf", join(folder, packed.trim()), "--strip-components=1", "-C", installed]);
  for (const name of ["@types", "csstype"]) symlinkSync(resolve("node_modules", name), join(modules, name));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "app.ts"), CONSUMER);
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  { module: "esnext", moduleResolution: "bundler" },
  { module: "nodenext", moduleResolution: "nodenext" },
])("its types resolve with $moduleResolution", (resolution) => {
  const compilerOptions = { ...resolution, strict: true, exactOptionalPropertyTypes: true, target: "es2022", noEmit: true, types: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));

  const compile = () => execFileSync(resolve("node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });

  expect(compile()).toBe("");
});
