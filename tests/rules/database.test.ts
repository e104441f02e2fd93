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

/** What is live is read by those who are signed in, one board at a time, and written by functions alone. */
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

  test.each([
    "/",
    "/presence/ada",
    "/live",
    "/live/leaderboards",
    "/live/leaderboards/arcade",
    "/live/leaderboards/arcade/global",
    "/live/leases/arcade/global",
    "/anything",
  ])("is closed to apps at %s", async (path) => {
    for (const context of Object.values(contexts())) {
      const place = ref(context.database() as never, path);
      await assertFails(get(place));
      await assertFails(set(place, { online: true }));
    }
  });

  test.each(["/live/leaderboards/arcade/global/daily", "/live/leaderboards/arcade/country:DE/daily/players/ada"])(
    "shows %s to the signed-in, and lets nobody write there",
    async (path) => {
      const { ada, operator, nobody } = contexts();
      const place = (context: typeof ada) => ref(context.database() as never, path);
      await assertSucceeds(get(place(ada)));
      await assertFails(get(place(nobody)));
      for (const context of [ada, operator, nobody]) await assertFails(set(place(context), { score: 1_000_000 }));
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
