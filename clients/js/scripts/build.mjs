/**
 * Compile src/ to dist/, and write static/js/session.js, which the pages of the project load.
 *
 * With --check, fail if the compiled files are not up to date, or session.js has become too large.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const at = (path) => new URL(`../${path}`, import.meta.url);
const STATIC = at("../../static/js/session.js");
const MAX_BYTES = 5000; // of session.js, compressed

execFileSync("npx", ["tsc", "--project", "tsconfig.build.json"], { cwd: at("."), stdio: "inherit" });
const source = readFileSync(at("src/session.ts"));
const hash = createHash("sha256").update(source).digest("hex").slice(0, 16);
const note = `// Built from clients/js/src/session.ts, SHA-256 ${hash}.\n`;
const built = note + readFileSync(at("dist/session.js"), "utf8");

if (!process.argv.includes("--check")) writeFileSync(STATIC, built);
else if (readFileSync(STATIC, "utf8") !== built) fail("static/js/session.js is old. Run: npm run build");
const sizes = [built, readFileSync(at("dist/react.js"))].map((code) => gzipSync(code, { level: 9 }).length);
console.log(`Compressed: session.js ${sizes[0]} bytes, react.js ${sizes[1]}.`);
if (sizes[0] > MAX_BYTES) fail(`session.js may have ${MAX_BYTES} bytes.`);

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
