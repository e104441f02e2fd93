import { expect, test } from "vitest";
import { queryInWords } from "./words.ts";

const compared = (fieldPath: string, op: number) => ({ fieldFilter: { field: { fieldPath }, op, value: "secret" } });
const by = (fieldPath: string, direction = 1) => ({ field: { fieldPath }, direction });
const ROOMS = [{ collectionId: "rooms" }];

test.each([
  ["rooms", "", { from: ROOMS }],
  ["users/ada/rooms", "users/ada", { from: ROOMS }],
  ["all rooms", "", { from: [{ collectionId: "rooms", allDescendants: true }] }],
  ["all rooms below users/ada", "users/ada", { from: [{ collectionId: "rooms", allDescendants: true }] }],
  ["everything", "", { from: [{ allDescendants: true }] }],
  ["rooms where city == …", "", { from: ROOMS, where: compared("city", 5) }],
  ["rooms where city in …", "", { from: ROOMS, where: compared("city", 8) }],
  ["rooms where city == null", "", { from: ROOMS, where: { unaryFilter: { op: 3, field: { fieldPath: "city" } } } }],
  [
    "rooms where city == … and (price < … or free == …)",
    "",
    {
      from: ROOMS,
      where: {
        compositeFilter: {
          op: 1,
          filters: [
            compared("city", 5),
            { compositeFilter: { op: 2, filters: [compared("price", 1), compared("free", 5)] } },
          ],
        },
      },
    },
  ],
  [
    "rooms by price desc, __name__ limit 20 offset 5",
    "",
    { from: ROOMS, orderBy: [by("price", 2), by("__name__")], limit: { value: 20 }, offset: 5 },
  ],
  ["rooms by price desc", "", { from: ROOMS, orderBy: [by("price", 2), by("__name__", 2)] }],
  ["rooms", "", { from: ROOMS, orderBy: [by("__name__")] }],
  ["", "", {}],
])("a query in words is %s", (words, parent, query) => {
  expect(queryInWords(parent, query)).toBe(words);
});

test("words end where it gets long", () => {
  const from = [{ collectionId: "x".repeat(1_000) }];
  expect(queryInWords("", { from })).toHaveLength(300);
});
