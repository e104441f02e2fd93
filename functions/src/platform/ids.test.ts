import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deterministicId, equalSecrets, fingerprint, isDocumentId, isUid } from "./ids.ts";

test("ids are the same for the same parts and different for others, however the parts are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), fc.array(fc.string(), { minLength: 1 }), (a, b) => {
      expect(deterministicId(...a)).toBe(deterministicId(...a));
      expect(deterministicId(...a) === deterministicId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(deterministicId(...a)).toMatch(/^[\w-]{32}$/);
    }),
  );
});

test("fingerprints do not depend on the order of keys, nor on keys that are undefined", () => {
  expect(fingerprint({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(fingerprint({ b: { c: [1, 2] }, a: 1 }));
  expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: "1" }));
  expect(fingerprint([1, 2])).not.toBe(fingerprint([2, 1]));
});

test("secrets are equal only if every character is", () => {
  expect(equalSecrets("Bearer x", "Bearer x")).toBe(true);
  for (const given of ["", "Bearer", "Bearer y", "Bearer x "]) expect(equalSecrets(given, "Bearer x")).toBe(false);
});

test("a secret that was never set equals nothing", () => {
  expect(equalSecrets("", "")).toBe(false);
  expect(equalSecrets("x", "")).toBe(false);
});

test("ids of documents are what Firestore takes for one", () => {
  for (const id of ["a", "com.game.coins_100", "pro:monthly", "ünïcode", "__x", "..."])
    expect(isDocumentId(id)).toBe(true);
  for (const id of ["", ".", "..", "a/b", "__reserved__", "__a\nb__", "x".repeat(201)])
    expect(isDocumentId(id)).toBe(false);
});

test("a user's id can be anything but an account of the house, or what is no id of a document", () => {
  for (const uid of ["ada", "google:123", "systematic", "a.b"]) expect(isUid(uid)).toBe(true);
  for (const uid of ["system", "system:mint", "a/b", "", "__ada__", "x".repeat(129)]) expect(isUid(uid)).toBe(false);
});
