import { defineConfig } from "vitest/config";

/**
 * `beside`: tests next to the file they test. `faults`: functions as Cloud Run serves them, killed in the middle; each file has servers of its
 * own. `suite`: what crosses modules, against everything running under the official CLI, one file after the other. `standalone`: local/ as
 * a package in somebody else's project.
 */
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
          name: "faults",
          include: ["tests/faults/**/*.test.ts"],
          globalSetup: ["tests/faults/built.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "suite",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/faults/**", "tests/standalone/**"],
          globalSetup: ["tests/suite.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: "standalone", include: ["tests/standalone/**/*.test.ts"] },
      },
    ],
    // Google's libraries would otherwise look for a metadata server, and warn that there is none.
    env: { METADATA_SERVER_DETECTION: "none" },
    // Fault tests wait for processes to start more than they compute: on two cores a third worker uses what two leave.
    maxWorkers: 3,
    silent: "passed-only",
  },
});
