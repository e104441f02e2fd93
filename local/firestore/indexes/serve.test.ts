import { describe, expect, test } from "vitest";
import { composite, find, inGroup, lacks, or, override, where } from "./cases.ts";

/** What https://firebase.google.com/docs/firestore/query-data/index-overview says, and the pages that it leads to. */

describe("without any definition, a query is served", () => {
  test.each([
    ["of everything", find(undefined)],
    ["of a field, equal", find(where(["a", "==", 1n]))],
    ["of a field in a map", find(where(["a.b", ">", 1n]))],
    ["of several fields, equal", find(where(["a", "==", 1n], ["b", "==", 2n], ["c", "==", 3n]))],
    ["of one of several values", find(where(["a", "in", [1n, 2n]], ["b", "==", 2n]))],
    ["of what an array holds", find(where(["tags", "contains", 1n]))],
    ["of any of what an array holds", find(where(["tags", "any", [1n, 2n]]))],
    ["of what an array holds, and another field, equal", find(where(["tags", "contains", 1n], ["a", "==", 1n]))],
    ["of a range of one field", find(where(["a", ">", 1n], ["a", "<=", 9n]))],
    ["of all but one value", find(where(["a", "!=", 1n]))],
    ["of all but some values", find(where(["a", "not-in", [1n, 2n]]))],
    ["sorted by one field", find(undefined, "a")],
    ["sorted by one field, descending", find(undefined, "a desc")],
    ["of a range, sorted by the same field, descending", find(where(["a", ">", 1n]), "a desc")],
    ["of a field, equal, and sorted by it, which has no effect", find(where(["a", "==", 1n]), "a desc")],
    ["of alternatives that are each served", find(or(where(["a", "==", 1n]), where(["b", "==", 1n])))],
    ["of a group", inGroup(find(undefined))],
  ])("%s", (_, query) => {
    expect(lacks(query, {})).toBeUndefined();
  });
});

describe("a query needs an index of its own", () => {
  test.each([
    ["equal, sorted by another", find(where(["a", "==", 1n]), "b"), "a, b"],
    ["equal, sorted by another, descending", find(where(["a", "==", 1n]), "b desc"), "a, b desc"],
    ["equal, range of another", find(where(["a", "==", 1n], ["b", ">", 1n])), "a, b"],
    ["equal, all but one value of another", find(where(["a", "==", 1n], ["b", "!=", 1n])), "a, b"],
    ["one of several, sorted by another", find(where(["a", "in", [1n, 2n]]), "b"), "a, b"],
    ["an array that holds, sorted", find(where(["t", "contains", 1n]), "b desc"), "t contains, b desc"],
    ["an array that holds any, sorted", find(where(["t", "any", [1n, 2n]]), "b"), "t contains, b"],
    ["sorted by two", find(undefined, "a", "b desc"), "a, b desc"],
    ["ranges of two, sorted as the service adds it", find(where(["b", ">", 1n], ["a", "<", 9n])), "a, b"],
    ["ranges of two, sorted as asked", find(where(["b", ">", 1n], ["a", "<", 9n]), "b"), "b, a"],
    ["ranges of two, all descending", find(where(["b", ">", 1n], ["a", "<", 9n]), "b desc"), "b desc, a desc"],
    ["a range, sorted by another", find(where(["a", ">", 1n]), "b"), "b, a"],
    ["equal, names against the sort", find(where(["a", "==", 1n]), "b", "__name__ desc"), "a, b, __name__ desc"],
    ["one field, names against the sort", find(undefined, "a desc", "__name__"), "a desc, __name__"],
    ["equal in a group", inGroup(find(where(["a", "==", 1n]), "b")), "group a, b"],
  ])("%s", (_, query, index) => {
    expect(lacks(query, {})).toBe(index);
    const scope = index.startsWith("group ") ? "COLLECTION_GROUP" : "COLLECTION";
    const definition = composite(index.replace("group ", ""), scope);
    expect(lacks(query, { indexes: [definition] })).toBeUndefined();
    const other = scope === "COLLECTION" ? "COLLECTION_GROUP" : "COLLECTION";
    expect(lacks(query, { indexes: [{ ...definition, queryScope: other }] })).toBe(index);
    expect(lacks(query, { indexes: [{ ...definition, collectionGroup: "others" }] })).toBe(index);
  });
});

describe("an index serves", () => {
  const query = find(where(["a", "==", 1n], ["b", "==", 2n]), "c desc");
  test.each([
    ["equalities in whatever order and direction", "b desc, a, c desc", true],
    ["no sort order turned round", "a, b, c", false],
    ["no order with a field in between", "a, c desc, b", false],
    ["no query without one of its fields, whose documents may lack it", "a, b, d, c desc", false],
    ["no query with a field behind", "a, b, c desc, d desc", false],
    ["no query whose equalities it has only some of", "a, c desc", false],
  ])("%s", (_, index, isServed) => {
    expect(lacks(query, { indexes: [composite(index)] })).toBe(isServed ? undefined : "a, b, c desc");
  });

  test("the last documents, of which clients ask in reverse, only if it is itself in reverse", () => {
    const last = find(where(["a", "==", 1n]), "b desc");
    expect(lacks(last, { indexes: [composite("a, b")] })).toBe("a, b desc");
  });
});

describe("indexes are merged", () => {
  const query = find(where(["category", "==", 1n], ["city", "==", 2n]), "rating");
  const of = (...texts: string[]) => ({ indexes: texts.map((text) => composite(text)) });

  test("if they end in the same order", () => {
    expect(lacks(query, of("category, rating", "city, rating"))).toBeUndefined();
    expect(lacks(query, of("category, rating", "city, rating desc"))).toBe("category, city, rating");
    expect(lacks(query, of("category, rating"))).toBe("category, city, rating");
  });

  test("of arrays, too", () => {
    const tagged = find(where(["tags", "contains", 1n], ["city", "==", 2n]), "rating");
    expect(lacks(tagged, of("tags contains, rating", "city, rating"))).toBeUndefined();
    expect(lacks(tagged, of("tags, rating", "city, rating"))).toBe("tags contains, city, rating");
  });

  test("composite ones with those of single fields, where names are the order", () => {
    const more = find(where(["category", "==", 1n], ["city", "==", 2n], ["price", "==", 3n]));
    const exempt = { fieldOverrides: [override("category"), override("city")] };
    expect(lacks(more, exempt)).toBe("category, city, price");
    expect(lacks(more, { ...exempt, ...of("category, city") })).toBeUndefined();
  });
});

describe("of a field with an override", () => {
  test.each([
    ["none at all", override("a"), find(where(["a", "==", 1n])), "a: asc"],
    ["none at all, sorted", override("a"), find(undefined, "a desc"), "a: desc"],
    ["none at all, for an array", override("a"), find(where(["a", "contains", 1n])), "a: contains"],
    ["the map that it is in", override("a"), find(where(["a.b", "==", 1n])), "a.b: asc"],
    ["all fields", override("*"), find(where(["a", "==", 1n])), "a: asc"],
    ["ascending only", override("a", "asc"), find(undefined, "a desc"), "a: desc"],
    ["groups only", override("a", "group asc"), find(where(["a", "==", 1n])), "a: asc"],
    ["collections only", override("a", "asc"), inGroup(find(where(["a", "==", 1n]))), "a: group asc"],
  ])("%s: what it leaves out is refused", (_, field, query, missing) => {
    expect(lacks(query, { fieldOverrides: [field] })).toBe(missing);
  });

  test.each([
    ["ascending, for equality", [override("a", "asc")], find(where(["a", "==", 1n]))],
    ["descending, for equality", [override("a", "desc")], find(where(["a", "==", 1n]), "a desc")],
    ["of a group", [override("a", "group asc")], inGroup(find(where(["a", ">", 1n])))],
    ["of arrays in a group", [override("a", "group contains")], inGroup(find(where(["a", "contains", 1n])))],
    ["of a field in a map without", [override("a"), override("a.b", "asc")], find(where(["a.b", "==", 1n]))],
    ["of a field where all others have none", [override("*"), override("a", "asc")], find(undefined, "a")],
    ["of another field", [override("b")], find(undefined, "a")],
    ["of the name, descending", [override("__name__", "desc")], find(undefined, "__name__ desc")],
  ])("%s: what it has is served", (_, fieldOverrides, query) => {
    expect(lacks(query, { fieldOverrides })).toBeUndefined();
  });

  test("a composite index still holds it", () => {
    const query = find(where(["a", "==", 1n], ["b", "==", 1n]));
    const fieldOverrides = [override("a"), override("b")];
    expect(lacks(query, { fieldOverrides })).toBe("a, b");
    expect(lacks(query, { fieldOverrides, indexes: [composite("b, a")] })).toBeUndefined();
  });

  test("a policy of time to live changes nothing by itself", () => {
    const fieldOverrides = [{ collectionGroup: "things", fieldPath: "a", ttl: true }];
    expect(lacks(find(undefined, "a"), { fieldOverrides })).toBeUndefined();
  });
});

test("each alternative needs its own, sorted as the whole query is", () => {
  const query = find(or(where(["a", "==", 1n]), where(["b", "==", 1n], ["c", ">", 1n])));
  expect(lacks(query, {})).toBe("a, c");
  expect(lacks(query, { indexes: [composite("a, c")] })).toBe("b, c");
  expect(lacks(query, { indexes: [composite("a, c"), composite("b, c")] })).toBeUndefined();
});

test("a group has no index of a field that is not defined for groups", () => {
  expect(lacks(inGroup(find(where(["a", "==", 1n]))), {})).toBe("a: group asc");
  expect(lacks(inGroup(find(undefined, "a desc")), {})).toBe("a: group desc");
  expect(lacks(inGroup(find(where(["a", "==", 1n], ["b", "==", 1n]))), {})).toBe("group a, b");
});

test("names in descending order need an index, alone and behind equalities that are not indexed so", () => {
  expect(lacks(find(undefined, "__name__ desc"), {})).toBe("__name__: desc");
  const query = find(where(["a", "==", 1n]), "__name__ desc");
  expect(lacks(query, { fieldOverrides: [override("a", "asc")] })).toBe("a: desc");
});

describe("sums and averages need the field in the index", () => {
  test.each([
    ["of everything", find(undefined), ["c"], undefined],
    ["of two fields", find(undefined), ["c", "d"], "c, d"],
    ["where a field is equal", find(where(["a", "==", 1n])), ["c"], "a, c"],
    ["of the field that is equal", find(where(["a", "==", 1n])), ["a"], undefined],
    ["of the field of a range", find(where(["a", ">", 1n])), ["a"], undefined],
    ["of another than that of a range", find(where(["a", ">", 1n])), ["c"], "a, c"],
  ])("%s", (_, query, added, missing) => {
    expect(lacks(query, {}, added)).toBe(missing);
    if (missing !== undefined) expect(lacks(query, { indexes: [composite(missing)] }, added)).toBeUndefined();
  });

  test("in whatever order and direction", () => {
    const query = find(where(["a", "==", 1n], ["b", ">", 1n]));
    expect(lacks(query, { indexes: [composite("a, b, d desc, c")] }, ["c", "d"])).toBeUndefined();
    expect(lacks(query, { indexes: [composite("a, d desc, b, c")] }, ["c", "d"])).toBe("a, b, c, d");
  });

  test("and not if it is exempt", () => {
    expect(lacks(find(undefined), { fieldOverrides: [override("c")] }, ["c"])).toBe("c: asc");
  });
});
