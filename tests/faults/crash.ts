import { expect, test } from "vitest";
import type { Answer, Crash, Doomed, Served } from "./functions.ts";

/** More calls than any path of money makes. */
const MAX_CALLS = 80;
const TIMEOUT_MILLIS = 300_000;

/** One way of money: how it is begun, and what must be true whenever it was cut off, and in the end. */
export interface Path<Subject> {
  /** Somebody new, with whatever must have happened before. */
  prepare(): Promise<Subject>;
  /** Does it once; undefined if the function died over it. */
  act(on: Served, subject: Subject): Promise<Answer | undefined>;
  /** Right after the crash: whole, or not at all. */
  halfway(subject: Subject): Promise<void>;
  /** After it was delivered again. */
  end(subject: Subject): Promise<void>;
}

/** Where a path runs: one that stays up, and those that die. */
export interface Stage {
  readonly healthy: Served;
  readonly doomed: Doomed;
}

/**
 * Kills the function at its first call of anything, its second, and so on until it comes through; each time what it was about is
 * delivered again to a healthy one, twice. Answers with the calls of the path.
 */
async function crashEverywhere<Subject>(
  path: Path<Subject>,
  when: Crash["when"],
  { healthy, doomed }: Stage,
): Promise<readonly string[]> {
  for (let at = 1; at <= MAX_CALLS; at++) {
    const [subject, dying] = await Promise.all([path.prepare(), doomed.next({ at, when })]);
    const answer = await path.act(dying, subject);
    dying.stop();
    const cut = `${when} ${when === "before" ? "call" : "change"} ${at}, ${dying.calls.at(-1)}`;
    await told(cut, () => path.halfway(subject));
    for (const round of ["redelivered", "redelivered twice"]) {
      const again = await path.act(healthy, subject);
      if (again === undefined || again.status >= 300) {
        throw new Error(`killed ${cut}, then ${round}: ${again?.status} ${JSON.stringify(again?.body)}`);
      }
      await told(`${cut}, then ${round}`, () => path.end(subject));
    }
    if (answer) return dying.calls;
  }
  throw new Error(`the path takes more than ${MAX_CALLS} calls`);
}

/** Says where the process was killed after which something is not as it should be. */
async function told(cut: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof Error) error.message = `killed ${cut}: ${error.message}`;
    throw error;
  }
}

/**
 * Tests a path with the process killed before each of its calls, and after each that changes something.
 * @param passes what the path must call, as `Commit`: what kills nothing of it shows nothing
 */
export function testPath<Subject>(
  claim: string,
  { stage, path, passes }: { stage: () => Stage; path: Path<Subject>; passes: readonly string[] },
): void {
  const moments = [
    { moment: "before any call", when: "before" },
    { moment: "after any change", when: "after" },
  ] as const;
  test.each(moments)(`killed $moment: ${claim}`, { timeout: TIMEOUT_MILLIS }, async ({ when }) => {
    const calls = await crashEverywhere(path, when, stage());
    for (const passed of passes) expect(calls.join("\n")).toContain(passed);
  });
}
