import domain from "node:domain";
import { expect, test } from "vitest";
import { withoutDomains } from "./domains.ts";

test("work of a request runs in no domain of Node's, which would follow each of its promises", () => {
  const active = () => "domain" in process && process.domain !== undefined && process.domain !== null;
  const { create } = domain;
  expect(create().run(active)).toBe(true);
  withoutDomains();
  const ran = domain.create().run(active);
  domain.create = create;
  expect(ran).toBe(false);
});
