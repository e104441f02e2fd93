import { enter } from "../../functions/src/leaderboards/enter.ts";
import type { Player } from "../../functions/src/leaderboards/records.ts";
import { Board } from "../../functions/src/leaderboards/settings.ts";
import { type Fields, Timestamp, type Value } from "../../local/firestore/model/value.ts";
import type { FirestoreServer } from "../../local/firestore/server.ts";
import { PROJECT } from "../local/program.ts";
import { BOARD } from "../serving/requests.ts";

/** A board with so many players, each with a score of every period; written past the wire, as they would be by `submit`. */
export function fill(server: FirestoreServer, count: number, settings: object): void {
  const board = Board.parse({
    title: "Arcade",
    timeZone: "Etc/UTC",
    minScore: 0,
    maxScore: 1_000_000_000,
    ...settings,
  });
  const { database } = server.firestore.open(`projects/${PROJECT}/databases/(default)`);
  const write = (path: string, fields: object) =>
    database.apply([{ path, fields: fieldsOf(fields), bytes: 500 }], database.tick());
  write(`leaderboards/${BOARD}`, board);
  const now = Date.now();
  for (let i = 0; i < count; i++) {
    const player = `user-${i}`;
    const score = (i * 7_919) % 1_000_003;
    const entering = { player, attempt: "bench-attempt", score, at: now - 1_000, now };
    const entered = enter(board, undefined, entering, { name: `Player ${i}` });
    write(`leaderboards/${BOARD}/players/${player}`, entered.player as Player);
  }
}

function fieldsOf(value: object): Fields {
  return new Map(Object.entries(value).map(([name, one]) => [name, toValue(one)]));
}

function toValue(value: unknown): Value {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value === "object" && "toMillis" in value) {
    const { seconds, nanoseconds } = value as unknown as { seconds: number; nanoseconds: number };
    return new Timestamp(seconds, nanoseconds);
  }
  return fieldsOf(value as object);
}
