import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_ATTEMPTS, REMEMBERED_ATTEMPTS, submittedIn, withAttempt } from "./attempts.ts";

/** With what could be taken for the ends of ids and lines. */
const id = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 64 }),
  fc.string({ unit: fc.constantFrom('"', "\\", "\n", " ", "1", "|", "\u2028"), maxLength: 8 }),
);
const submitted = fc.tuple(fc.integer(), fc.option(fc.integer())).map((numbers) => numbers.join("|"));

test("the last attempts are remembered with what was submitted, whatever their ids, and no others", () => {
  const attempts = fc.uniqueArray(fc.record({ id, submitted }), { selector: (one) => one.id, maxLength: 80 });
  fc.assert(
    fc.property(attempts, (all) => {
      const text = all.reduce((before, one) => withAttempt(before, one.id, one.submitted), NO_ATTEMPTS);
      const remembered = all.slice(-REMEMBERED_ATTEMPTS);
      for (const one of all) {
        expect(submittedIn(text, one.id)).toBe(remembered.includes(one) ? one.submitted : undefined);
      }
    }),
  );
});
