import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test("durations are read as ISO 8601 and as numbers with units", () => {
  const read = {
    PT1H: 3_600_000,
    PT1H30M: 5_400_000,
    P1DT2S: 86_402_000,
    P2W: 14 * 86_400_000,
    "PT0.5S": 500,
    "1h": 3_600_000,
    "1h30m": 5_400_000,
    "1.5h": 5_400_000,
    "2d": 172_800_000,
    "500ms": 500,
    "1m500ms": 60_500,
    "0s": 0,
  };
  for (const [text, millis] of Object.entries(read)) expect(parseDuration(text), text).toBe(millis);
});

test("what has no fixed length or is no duration is not read", () => {
  for (const text of ["P1M", "P1Y", "P", "PT", "1", "h", "1x", "-1h", "1 h", "", `${"1h".repeat(40)}`]) {
    expect(parseDuration(text), text).toBeUndefined();
  }
});
