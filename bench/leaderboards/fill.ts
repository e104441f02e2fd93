import { type Fields, Timestamp, type Value } from "../../local/firestore/model/value.ts";
import type { FirestoreServer } from "../../local/firestore/server.ts";
import { PROJECT } from "../local/program.ts";
import { BOARD } from "../serving/requests.ts";
import { BOARD_SETTINGS, idOf, playerWith, scoreOf } from "./players.ts";

const BYTES = 500;

/** The board with so many players, each with a score; written past the wire, as they would be by `submit`. */
export function fill(server: FirestoreServer, count: number): void {
  const { database } = server.firestore.open(`projects/${PROJECT}/databases/(default)`);
  const write = (path: string, fields: object) =>
    database.apply([{ path, fields: fieldsOf(fields), bytes: BYTES }], database.tick());
  write(`leaderboards/${BOARD}`, BOARD_SETTINGS);
  const at = Date.now() - 1_000;
  for (let i = 0; i < count; i++) write(`leaderboards/${BOARD}/players/${idOf(i)}`, playerWith(i, scoreOf(i), at));
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
