import { defineConfig } from "vitest/config";

// The tests need a running server, SITE; one with rate limits, LIMITED; and MAILS, the folder of e-mails.
export default defineConfig({
  test: {
    include: ["tests/*.test.ts"],
    fileParallelism: false, // all tests are the demo user
    testTimeout: 30_000,
    environmentOptions: { happyDOM: { url: process.env.SITE ?? "" } },
  },
});
