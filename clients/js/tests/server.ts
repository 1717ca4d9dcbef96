/** The running server, and the clients that the tests use. */

import { createHmac, randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { createSession, type SessionOptions, tokenTransport } from "../src/session.js";

export const baseUrl = process.env.SITE!;
export const demo = { email: "demo@example.com", password: "demo-password" };

export function newUser() {
  return { email: `${randomUUID()}@example.com`, password: "a long and good password" };
}

/** A session that keeps its tokens in memory. `asked` has the paths of its requests. */
export function client({ fetch: ask = fetch, ...options }: SessionOptions = {}) {
  const asked: string[] = [];
  const session = createSession({
    baseUrl,
    transport: tokenTransport(),
    fetch: (url, init) => {
      asked.push(String(url).replace(baseUrl, ""));
      return ask(url, init);
    },
    ...options,
  });
  return { session, refreshes: () => asked.filter((path) => path.endsWith("/refresh/")).length, asked };
}

/** fetch() that loses the first response of a path: the server has done its work. */
export function losing(path: string): typeof fetch {
  let isLost = false;
  return async (url, init) => {
    const answer = await fetch(url, init);
    if (isLost || !String(url).endsWith(path)) return answer;
    isLost = true;
    throw new TypeError("The connection was reset.");
  };
}

/** fetch() with cookies, as a browser has them. */
export function withCookies() {
  const jar = new Map<string, string>();
  const ask: typeof fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set("Cookie", [...jar].map((pair) => pair.join("=")).join("; "));
    if (jar.has("csrftoken")) headers.set("X-CSRFToken", jar.get("csrftoken")!);
    const answer = await fetch(url, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value && value !== '""') jar.set(name!, value);
      else jar.delete(name!);
    }
    return answer;
  };
  return { jar, fetch: ask };
}

/** Return the code of the n-th e-mail to a user, which the server sends after its response. */
export async function codeOfTheMail(email: string, n = 1) {
  const folder = process.env.MAILS!;
  const code = () => {
    const files = readdirSync(folder).map((name) => join(folder, name));
    files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
    const mails = files.flatMap((file) => readFileSync(file, "utf8").split("-".repeat(79)));
    return mails.filter((mail) => mail.includes(`To: ${email}`))[n - 1]?.match(/^[A-Z0-9]+(?:-[A-Z0-9]+)*$/m);
  };
  return (await vi.waitUntil(code, { timeout: 10_000 }))[0];
}

/** Give a user whose address is verified an authenticator app; return its secret. */
export async function addAuthenticatorApp(credentials: { email: string; password: string }) {
  let token = "";
  const call = async (method: string, path: string, body?: object) => {
    const headers = { "Content-Type": "application/json", ...(token && { "X-Session-Token": token }) };
    const answer = await fetch(`${baseUrl}/_allauth/app/v1/${path}`, { method, headers, body: body ? JSON.stringify(body) : null });
    const { meta } = await answer.json();
    token = meta?.session_token ?? token;
    return meta;
  };
  await call("POST", "auth/login", credentials);
  await call("POST", "auth/reauthenticate", { password: credentials.password });
  const { secret } = await call("GET", "account/authenticators/totp");
  await call("POST", "account/authenticators/totp", { code: totp(secret) });
  return secret as string;
}

export function totp(secret: string) {
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
