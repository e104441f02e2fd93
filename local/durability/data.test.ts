import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openData } from "./data.ts";
import { filesOf, Kept, recordOf, temporary } from "./harness.ts";
import { OVERHEAD } from "./record.ts";

/** A directory with a log of so many records, all known to be on disk. */
async function logged(count: number): Promise<string> {
  const directory = temporary();
  const kept = await Kept.open(directory);
  for (let i = 0; i < count; i++) await kept.put(`n${i}`, "x".repeat(i % 7));
  await kept.data.close();
  return directory;
}

const log = (directory: string) => join(directory, "log-000001");

async function reopened(directory: string): Promise<{ names: string[]; reports: string[] }> {
  const kept = await Kept.open(directory);
  await kept.data.close();
  return { names: [...kept.notes.values.keys()], reports: kept.reports };
}

async function refusalOf(directory: string): Promise<string> {
  return await Kept.open(directory).then(
    () => "",
    (error: Error) => error.message,
  );
}

describe("what was on disk", () => {
  test("is there when the directory is opened again, and again after more", async () => {
    const directory = join(temporary(), "not", "there", "yet");
    for (let round = 0; round < 3; round++) {
      const kept = await Kept.open(directory);
      expect(kept.notes.values.size).toBe(2 * round);
      expect(kept.reports).toEqual([]);
      await Promise.all([kept.put(`a${round}`, round), kept.put(`b${round}`, null)]);
      await kept.data.close();
    }
  });

  test("is told in the order in which it was appended, and at once if nothing is under way", async () => {
    const kept = await Kept.open(temporary());
    const told: string[] = [];
    kept.data.whenSettled(() => told.push("nothing"));
    expect(told).toEqual(["nothing"]);
    for (let i = 0; i < 5; i++) {
      kept.data.append(recordOf("n", i));
      kept.data.whenSettled(() => told.push(`n${i}`));
    }
    expect(told).toEqual(["nothing"]);
    await kept.data.settled();
    expect(told).toEqual(["nothing", "n0", "n1", "n2", "n3", "n4"]);
    expect(kept.data.settled()).toBeUndefined();
    await kept.data.close();
  });
});

describe("a log whose end is missing", () => {
  test("opens with all records but the last, whatever byte of that it ends at, and says how many bytes it has cut off", async () => {
    const directory = await logged(5);
    const whole = readFileSync(log(directory));
    const last = recordOf("n4", "xxxx").length + OVERHEAD;
    for (let kept = 1; kept < last; kept++) {
      writeFileSync(log(directory), whole.subarray(0, whole.length - last + kept));
      const { names, reports } = await reopened(directory);
      expect(names).toEqual(["n0", "n1", "n2", "n3"]);
      expect(reports).toEqual([
        `${log(directory)}: a write was cut short; its ${kept} bytes, from byte ${whole.length - last} on, are cut off`,
      ]);
      expect(statSync(log(directory)).size).toBe(whole.length - last);
    }
  });

  test("goes on behind the cut", async () => {
    const directory = await logged(3);
    truncateSync(log(directory), statSync(log(directory)).size - 1);
    const kept = await Kept.open(directory);
    await kept.put("later", 1);
    await kept.data.close();
    expect(await reopened(directory)).toEqual({ names: ["n0", "n1", "later"], reports: [] });
  });

  test("loses its last record only, if that is not as it was written", async () => {
    const directory = await logged(3);
    const bytes = readFileSync(log(directory));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(log(directory), bytes);
    expect((await reopened(directory)).names).toEqual(["n0", "n1"]);
  });

  test("is not mistaken for a damaged one because a record holds the bytes of another log", async () => {
    const inner = readFileSync(log(await logged(3)));
    const directory = await logged(2);
    const kept = await Kept.open(directory);
    kept.data.append(inner);
    await kept.data.close();
    truncateSync(log(directory), statSync(log(directory)).size - 1);
    expect((await reopened(directory)).names).toEqual(["n0", "n1"]);
  });
});

describe("damage", () => {
  test("of any bit that is not in the last record is refused, with the file and the place", async () => {
    const directory = await logged(6);
    const whole = readFileSync(log(directory));
    const last = recordOf("n5", "xxxxx").length + OVERHEAD;
    const header = whole.indexOf("\n") + 1;
    const starts = [header];
    for (let i = 0; i < 5; i++)
      starts.push((starts.at(-1) as number) + recordOf(`n${i}`, "x".repeat(i)).length + OVERHEAD);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - last - 1), fc.nat(7), async (at, bit) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        writeFileSync(log(directory), bytes);
        const place = at < header ? 0 : (starts.findLast((start) => start <= at) as number);
        expect(await refusalOf(directory)).toContain(`${log(directory)} is damaged at byte ${place}: `);
        expect(readFileSync(log(directory)).equals(bytes)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("of a log is refused if a later log has records", async () => {
    const directory = await logged(3);
    const second = await Kept.open(temporary(), 0);
    await second.put("a", 1);
    await second.put("b", 1);
    await second.data.close();
    const later = readFileSync(log(directory));
    writeFileSync(join(directory, "log-000002"), later);
    truncateSync(log(directory), later.length - 1);
    const refusal = await refusalOf(directory);
    expect(refusal).toContain(`${log(directory)} is damaged at byte `);
    expect(refusal).toContain("log-000002");
  });

  test("is seen in files that are missing", async () => {
    const directory = await logged(1);
    writeFileSync(join(directory, "log-000003"), readFileSync(log(directory)));
    expect(await refusalOf(directory)).toContain("log-000002 is missing");
    rmSync(log(directory));
    expect(await refusalOf(directory)).toContain("log-000001 is missing");
  });

  test("is a record that the server cannot understand", async () => {
    const directory = await logged(1);
    const kept = await Kept.open(directory);
    kept.data.append(Buffer.from("no JSON"));
    await kept.data.close();
    expect(await refusalOf(directory)).toMatch(
      /log-000001 is damaged at byte \d+: the record there cannot be understood/,
    );
  });
});

describe("a directory", () => {
  test("of another format is refused as such", async () => {
    const directory = await logged(1);
    const text = readFileSync(log(directory), "latin1");
    const [, salt] = /^firebase-local notes log 1 (\w+) \w+\n/.exec(text) as unknown as [string, string];
    const line = `firebase-local notes log 2 ${salt}`;
    writeFileSync(log(directory), `${line} ${crc32(line).toString(16).padStart(8, "0")}\nwhatever that is`);
    expect(await refusalOf(directory)).toBe(`${log(directory)} is in format 2; this program reads format 1.`);
  });

  test("of another server is refused as such", async () => {
    const directory = await logged(1);
    const { notes } = await Kept.open(temporary());
    const opening = openData({ directory, server: "letters", state: notes, report: () => undefined });
    await expect(opening).rejects.toThrow("holds data of notes, not of letters");
  });

  test("keeps files of others, and removes what was not finished", async () => {
    const directory = await logged(1);
    writeFileSync(join(directory, "log-000002.unfinished"), "firebase-lo");
    appendFileSync(join(directory, "README"), "mine");
    expect((await reopened(directory)).names).toEqual(["n0"]);
    expect(filesOf(directory)).toEqual(["README", "log-000001"]);
  });
});
