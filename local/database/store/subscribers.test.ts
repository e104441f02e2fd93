import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Node } from "../model/node.ts";
import { isWithin, type Path } from "../model/path.ts";
import { type Subscriber, Subscribers } from "./subscribers.ts";

const anyPath = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 });
const subscriberTo = (path: Path): Subscriber => ({ path, onCommit: () => {}, recheck: () => {} });

test("a change reaches those who look at its place, above it or below it, and nobody else", () => {
  fc.assert(
    fc.property(fc.array(anyPath), fc.array(anyPath), fc.array(anyPath), (staying, leaving, changed) => {
      const subscribers = new Subscribers();
      const stays = staying.map(subscriberTo);
      const leaves = leaving.map(subscriberTo);
      for (const subscriber of [...leaves, ...stays]) subscribers.add(subscriber);
      for (const subscriber of leaves) subscribers.remove(subscriber);
      const touched = subscribers.touchedBy(changed.map((path) => ({ path, before: Node.EMPTY, after: Node.EMPTY })));
      const expected = stays.filter(({ path }) =>
        changed.some((place) => isWithin(place, path) || isWithin(path, place)),
      );
      expect(new Set(touched)).toEqual(new Set(expected));
      expect([...subscribers.all]).toEqual(stays);
    }),
  );
});
