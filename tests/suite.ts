import type { TestProject } from "vitest/node";
import { type Connection, startSuite } from "../scripts/suite.ts";

declare module "vitest" {
  interface ProvidedContext {
    suite: Connection;
  }
}

/** Everything up, once, for all tests in this folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, connection } = await startSuite({ project: "demo-pot-of-gold-test", portOffset: 1_000 });
  project.provide("suite", connection);
  return stop;
}
