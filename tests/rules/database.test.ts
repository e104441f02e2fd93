import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assertFails,
  assertSucceeds,
  initializeTestEnvironment,
  type RulesTestEnvironment,
} from "@firebase/rules-unit-testing";
import { get, ref, set } from "firebase/database";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/suite.ts";

/** Nothing is kept in the Realtime Database yet, so nobody gets at it. */
let environment: RulesTestEnvironment;

beforeAll(async () => {
  const [host = "", port = ""] = inject("suite").hosts.database.split(":");
  const rules = readFileSync(join(root, "database.rules.json"), "utf8");
  environment = await initializeTestEnvironment({
    projectId: "demo-rules-of-the-product",
    database: { host, port: Number(port), rules },
  });
});
afterAll(() => environment.cleanup());

describe("the Realtime Database", () => {
  const contexts = () => ({
    ada: environment.authenticatedContext("ada"),
    operator: environment.authenticatedContext("olga", { admin: true }),
    nobody: environment.unauthenticatedContext(),
  });

  test.each(["/", "/presence/ada", "/live/leaderboards/arcade", "/anything"])(
    "is closed to apps at %s",
    async (path) => {
      for (const context of Object.values(contexts())) {
        const place = ref(context.database() as never, path);
        await assertFails(get(place));
        await assertFails(set(place, { online: true }));
      }
    },
  );

  test("is open to functions", async () => {
    await environment.withSecurityRulesDisabled(async (context) => {
      const place = ref(context.database() as never, "/presence/ada");
      await assertSucceeds(set(place, { online: true }));
      expect((await get(place)).val()).toEqual({ online: true });
    });
  });
});
