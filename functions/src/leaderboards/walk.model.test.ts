import * as fc from "fast-check";
import { expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { type Person, somebodyKnown } from "../../testing/people.ts";
import { useSeasons } from "../../testing/seasons.ts";
import { erase } from "../identity/erase.ts";
import { updateProfile } from "../identity/own.ts";
import { ban, shadowBan, unban } from "../identity/sanction.ts";
import type { Row } from "./contract.ts";
import { closeSeasons } from "./seasons/close.ts";
import { pages } from "./seasons/records.ts";
import { profileChanged, userErased } from "./walk.ts";

const backend = useBackend();
const { at, closeAt, newBoard, score } = useSeasons(backend);
const OLGA = { uid: "olga" };
const NOTE = { note: "a test" };
const SEASON = "daily-2026-11-20";
const PEOPLE = 3;

type Deed = "look" | "ban" | "shadow" | "unban" | "erase" | "close";
interface Step {
  readonly who: number;
  readonly deed: Deed;
}
interface Expected {
  picture?: string;
  state: "active" | "hidden" | "erased";
  wasHidden: boolean;
}

const deed = fc.constantFrom<Deed>("look", "look", "ban", "shadow", "unban", "erase", "close");
const story = fc.array(fc.record({ who: fc.nat(PEOPLE - 1), deed }), { minLength: 1, maxLength: 8 });
let events = 0;

/** Does it, and what has to follow is begun, but not waited for. */
async function act(person: Person, known: Expected, { deed: what }: Step, begun: Promise<unknown>[]): Promise<void> {
  const other = { user: person.uid, ...NOTE };
  const event = `event ${++events}`;
  if (known.state === "erased") return;
  if (what === "erase") {
    await erase(OLGA, other);
    known.state = "erased";
    begun.push(userErased(event, other));
    return;
  }
  if (what === "look") {
    // Who is banned cannot change how they look.
    if (known.state === "hidden") return;
    known.picture = `https://example.com/${events}.png`;
    await updateProfile(person, { picture: known.picture });
  } else {
    await { ban, shadow: shadowBan, unban }[what as "ban" | "shadow" | "unban"](OLGA, other);
    known.state = what === "unban" ? "active" : "hidden";
  }
  begun.push(profileChanged(event, other));
}

/** Goes through a story, in which the season is closed at least once; answers with what is known of each in the end. */
async function play(board: string, people: readonly Person[], steps: readonly Step[]): Promise<Expected[]> {
  const model = people.map((): Expected => ({ state: "active", wasHidden: false }));
  const begun: Promise<unknown>[] = [];
  for (const step of [...steps, { who: 0, deed: "close" } as const]) {
    const [person, known] = [people[step.who] as Person, model[step.who] as Expected];
    if (step.deed === "close") begun.push(closeSeasons(board, "daily"));
    else await act(person, known, step, begun);
    known.wasHidden ||= known.state === "hidden";
  }
  await Promise.all(begun);
  return model;
}

function check(row: Row | undefined, { state, picture, wasHidden }: Expected, { uid, handle }: Person): void {
  if (state !== "active") return expect(row).toBeUndefined();
  // Who was banned when it was closed is not ranked in it.
  if (!row && wasHidden) return;
  const { name, picture: shown } = row ?? {};
  expect({ uid: row?.player, name, shown }).toEqual({ uid, name: handle, shown: picture });
}

test("a season shows its players as they are in the end, whatever becomes of them and whenever it is closed", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(story, async (steps) => {
      const people = await Promise.all(Array.from({ length: PEOPLE }, () => somebodyKnown()));
      at("2026-11-20T12:00:00Z");
      const board = await newBoard({ periods: ["daily"] });
      for (const [i, person] of people.entries()) await score(person, board, 10 + i);
      at("2026-11-21T01:00:00Z");
      const model = await play(board, people, steps);
      await closeAt("2026-11-21T01:10:00Z");
      const rows = (await pages(board, SEASON).doc("0").get()).data()?.rows ?? [];
      for (const [i, known] of model.entries()) {
        const person = people[i] as Person;
        const row = rows.find(({ player }) => player === person.uid);
        check(row, known, person);
      }
      // Whatever else there is names nobody, and no two have one rank.
      const others = rows.filter(({ player }) => people.every(({ uid }) => uid !== player));
      expect(others.map(({ player, name }) => player + name).join("")).toBe("");
      const ranks = rows.map(({ rank }) => rank);
      expect(ranks).toEqual([...new Set(ranks)].sort((one, other) => one - other));
    }),
    { numRuns: 6 },
  );
});
