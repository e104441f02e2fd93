import { defineConfig } from "vitest/config";

/** `beside`: tests next to the file they test. `suite`: what crosses modules, against everything running under the official CLI. */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "beside",
          include: ["local/**/*.test.ts", "functions/**/*.test.ts", "scripts/**/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "suite",
          include: ["tests/**/*.test.ts"],
          globalSetup: ["tests/suite.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
    // Google's libraries would otherwise look for a metadata server, and warn that there is none.
    env: { METADATA_SERVER_DETECTION: "none" },
    maxWorkers: 2,
    silent: "passed-only",
  },
});
