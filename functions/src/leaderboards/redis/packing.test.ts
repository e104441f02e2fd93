import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timestamp } from "../../platform/firestore.ts";
import { NO_ATTEMPTS } from "../attempts.ts";
import { compareScored } from "../place.ts";
import { Player, type Slot } from "../records.ts";
import { pack, packGone, placeWidth, rankScore, tieOf, unpack, versionIn, versionOf } from "./packing.ts";

const ordering = fc.record({
  order: fc.constantFrom("ascending" as const, "descending" as const),
  subscore: fc.constantFrom("none" as const, "ascending" as const, "descending" as const),
});
const whole = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 3 }));
const scored = fc.record({ score: whole, sub: whole, at: fc.integer({ min: 1, max: 4_000_000_000_000 }) });

describe("what Redis sorts by", () => {
  test("ranks as the order in Firestore does, for all safe integers", () => {
    fc.assert(
      fc.property(ordering, scored, scored, (board, one, other) => {
        const byScore = rankScore(board, one.score) - rankScore(board, other.score);
        const [tie, otherTie] = [tieOf(board, one), tieOf(board, other)];
        const byTie = Buffer.compare(Buffer.from(tie), Buffer.from(otherTie));
        expect(Math.sign(byScore || byTie)).toBe(Math.sign(compareScored(board, one, other)));
        expect(tie).toHaveLength(placeWidth(board));
      }),
    );
  });
});

describe("a packed player", () => {
  test("comes out as it went in, whatever is in its name", () => {
    const player = fc.record({
      name: fc.string({ unit: "binary" }),
      picture: fc.option(fc.webUrl(), { nil: undefined }),
    });
    fc.assert(
      fc.property(ordering, scored, player, fc.boolean(), (board, { score, sub, at }, { name, picture }, isRanked) => {
        const shown = Player.parse({
          player: "ada",
          name,
          attempts: NO_ATTEMPTS,
          ...(picture === undefined ? {} : { picture }),
          country: "DE",
        });
        const slot: Slot = {
          season: "all",
          score,
          ...(board.subscore === "none" ? {} : { sub }),
          at: timestamp(at),
          ...(isRanked ? { order: "ranked" } : {}),
          metadata: { "a|b": [1] },
        };
        expect(unpack(board, "ada", pack(board, shown, slot, versionOf(timestamp(1_700_000_000_000))))).toEqual({
          isRanked,
          country: undefined,
          group: undefined,
          row: {
            player: "ada",
            name,
            ...(picture === undefined ? {} : { picture }),
            country: "DE",
            score,
            ...(board.subscore === "none" ? {} : { subscore: sub }),
            at,
            metadata: { "a|b": [1] },
          },
        });
      }),
    );
  });

  test("who is gone is nobody, as of a microsecond", () => {
    const version = versionOf(timestamp(1_700_000_000_123), 7);
    expect(unpack({ order: "ascending", subscore: "none" }, "ada", packGone(version))).toBeUndefined();
    expect(versionIn(packGone(version))).toBe(1_700_000_000_123_007);
  });
});
