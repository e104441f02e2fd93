import { describe, expect, test } from "vitest";
import { document, judge, ROOT, request } from "../harness.ts";
import { parseRules, type RulesRequest } from "../rules.ts";

describe("documents that conditions look up", () => {
  const admins = [...ROOT, "admins", "ada"];
  const stored = new Map([[JSON.stringify(admins), document({ level: 3n }, admins)]]);
  const later = new Map([[JSON.stringify([...ROOT, "logs", "1"]), document({ by: "ada" })]]);
  const changes: Partial<RulesRequest> = {
    document: (path, after) => (after ? later : stored).get(JSON.stringify(path)) ?? null,
  };
  const path = (tail: string) => `/databases/$(database)/documents/${tail}`;

  test.each([
    ["get", `get(${path("admins/$(request.auth.uid)")}).data.level == 3`],
    ["exists", `exists(${path("admins/ada")})`],
    ["exists, of what is not there", `!exists(${path("admins/bo")})`],
    ["get, of what is not there", `get(${path("admins/bo")}) == null`],
    ["getAfter", `getAfter(${path("logs/1")}).data.by == 'ada'`],
    ["existsAfter", `existsAfter(${path("logs/1")}) && !exists(${path("logs/1")})`],
    ["firestore.get", `firestore.get(${path("admins/ada")}).data.level == 3`],
    ["a path that is made from text", `exists(path('/databases/(default)/documents/admins/ada'))`],
    ["a path of a resource", `get(resource.__name__) == null`],
  ])("by %s", (_, condition) => {
    expect(judge(condition, changes)).toMatchObject({ allowed: true, explanation: expect.any(String) });
  });

  test.each([
    ["a field of what is not there", `get(${path("admins/bo")}).data.level == 3`, "Null value error."],
    ["a collection", `exists(${path("admins")})`, "does not name a document"],
    ["a path without a database", "exists(/admins/ada)", "does not name a document"],
    ["text", "exists('/admins/ada')", "takes a path"],
    ["nothing", "exists()", "takes one"],
  ])("cannot be %s", (_, condition, message) => {
    expect(judge(condition, changes)).toMatchObject({ allowed: false, explanation: expect.stringContaining(message) });
  });

  test("are looked up once, however often they are asked for", () => {
    const paths: string[] = [];
    const condition = `exists(${path("a/1")}) || exists(${path("a/1")}) || get(${path("a/1")}) != null || exists(${path("a/2")})`;
    const verdict = judge(condition, {
      document: (segments) => {
        paths.push(segments.join("/"));
        return null;
      },
    });
    expect(verdict).toMatchObject({ allowed: false, reads: 2 });
    expect(paths).toEqual(["databases/(default)/documents/a/1", "databases/(default)/documents/a/2"]);
  });

  test("are no more than the request may read", () => {
    const all = (count: number) => Array.from({ length: count }, (_, i) => `!exists(${path(`a/${i}`)})`).join(" && ");
    expect(judge(all(10))).toMatchObject({ allowed: true, reads: 10 });
    expect(judge(all(11))).toMatchObject({ allowed: false, reads: 10 });
    expect(judge(all(11), { readLimit: 20 })).toMatchObject({ allowed: true, reads: 11 });
  });

  test("may fail to be looked up, which is not an error of the rules", () => {
    const broken = () => {
      throw new TypeError("the disk is gone");
    };
    expect(() => judge(`exists(${path("a/1")}) || true`, { document: broken })).toThrow("the disk is gone");
  });

  test("are Firestore's for Cloud Storage too, by another name", () => {
    const rules = (condition: string) =>
      parseRules(`service firebase.storage { match /b/{bucket}/o/{file} { allow get: if ${condition}; } }`);
    const file = request({ ...changes, service: "firebase.storage", path: ["b", "x", "o", "photo"] });
    const admin = "(/databases/(default)/documents/admins/ada)";
    expect(rules(`firestore.exists${admin} && firestore.get${admin}.data.level == 3`).evaluate(file)).toMatchObject({
      allowed: true,
      reads: 1,
    });
    expect(rules(`exists${admin}`).evaluate(file)).toMatchObject({ allowed: false });
  });
});
