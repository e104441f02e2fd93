import domain from "node:domain";
import { afterEach, expect, test } from "vitest";
import { withoutDomains } from "./domains.ts";

const { create } = domain;
const current = () => Reflect.get(process, "domain") as unknown;
afterEach(() => {
  domain.create = create;
});

test("requests run as they do in a domain of Node's, but none follows what they do", () => {
  const run = () =>
    domain
      .create()
      .on("error", () => undefined)
      .run(current);
  // Without a listener, so that no domain stays behind.
  expect(create().run(current)).toBeInstanceOf(domain.Domain);
  withoutDomains();
  expect(run()).toBeFalsy();
});
