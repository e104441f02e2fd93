import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { load, map, REQUEST, rulesWith, verify } from "./harness.ts";
import { lineOf } from "./message.ts";
import { StorageRulesRuntime } from "./runtime.ts";

describe("whatever a line says, there is an answer of one line of ASCII with its id, and the next request is served", () => {
  const runtime = new StorageRulesRuntime();
  runtime.answer(
    JSON.stringify(load(0, rulesWith("firestore.get(/databases/(default)/documents/a/$(name)).data.x == 1"), "kept")),
  );

  function check(line: string, id?: number): void {
    const answer = runtime.answer(line);
    expect(answer.id).toBe(id);
    expect(answer.status).toBe(id === undefined ? "error" : "ok");
    expect(lineOf(answer)).toMatch(/^[ -~]*\n$/);
    expect(runtime.answer(JSON.stringify(verify(2, { rulesetName: "kept" })))).toMatchObject({
      id: 2,
      action: "fetch_firestore_document",
    });
  }

  test("any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => check(`~${line}`)));
  });

  test("any JSON", () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => check(JSON.stringify([json]))));
  });

  test("any message with anything in the place of a part of it", () => {
    const messages = [
      load(1, "x"),
      verify(1, { rulesetName: "kept" }),
      { id: 1, status: "ok", result: { fields: { x: { integerValue: "1" } } } },
    ];
    const places = messages.flatMap((message) => placesIn(message).map((place) => [message, place] as const));
    const anything = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, "", [], {}, 1e308, { a_value: 1 }));
    fc.assert(
      fc.property(fc.constantFrom(...places), anything, ([message, place], value) => {
        const changed = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
        replace(changed, place, value);
        runtime.answer(JSON.stringify(verify(1, { rulesetName: "kept" })));
        check(JSON.stringify(changed), 1);
      }),
      { numRuns: 1_000 },
    );
  });

  test("values too deep to look into", () => {
    const depth = 50_000;
    const deep = `${'{"list_value":{"values":['.repeat(depth)}${"]}}".repeat(depth)}`;
    const line = JSON.stringify(verify(1, { variables: { resource: "deep", request: map(REQUEST) } }));
    const answer = runtime.answer(line.replace('"deep"', deep));
    expect(answer).toMatchObject({ id: 1, status: "ok", errors: ["A value is more than 100 levels deep."] });
  });
});

type Place = readonly string[];

/** All places below a message but its id. */
function placesIn(json: unknown): Place[] {
  if (typeof json !== "object" || json === null) return [];
  return Object.entries(json)
    .filter(([name]) => name !== "id")
    .flatMap(([name, inner]) => [[name], ...placesIn(inner).map((place) => [name, ...place])]);
}

function replace(json: Record<string, unknown>, [name = "", ...inner]: Place, value: unknown): void {
  if (inner.length === 0) json[name] = value;
  else replace(json[name] as Record<string, unknown>, inner, value);
}
