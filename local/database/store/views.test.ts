import { expect, test } from "vitest";
import { toNode } from "../model/arbitrary.ts";
import { parseWireQuery } from "../query/query.ts";
import { Views } from "./views.ts";

test("those who ask the same of the same place share a view, as long as one of them looks", () => {
  const views = new Views();
  const query = () => parseWireQuery({ i: "n", sp: 1, l: 3, vf: "l" });
  const first = views.take(toNode({ a: { x: { n: 1 } } }), ["a"], query());
  expect(views.take(toNode(null), ["a"], query())).toBe(first);
  expect(views.take(toNode(null), ["a"], parseWireQuery({ i: "n", sp: 1, l: 4, vf: "l" }))).not.toBe(first);
  expect(views.take(toNode(null), ["b"], query())).not.toBe(first);
  views.release(first);
  expect(views.take(toNode(null), ["a"], query())).toBe(first);
  views.release(first);
  views.release(first);
  expect(views.take(toNode(null), ["a"], query())).not.toBe(first);
});
