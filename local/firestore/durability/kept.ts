import { type Data, type Keeping, openData } from "../../durability/data.ts";
import { DataError } from "../../durability/failure.ts";
import type { Firestore } from "../firestore.ts";
import type { Outgoing } from "../listen/stream.ts";
import { StatusError } from "../wire/status.ts";
import { commitRecord } from "./records.ts";
import { stateOfFirestore } from "./state.ts";

/**
 * Nothing that is not on disk gets out: commits are made in memory at once, so that they share a write to disk, and whatever tells of them
 * (answers, refusals, snapshots of listeners, events of functions) waits until that is done.
 */

/** Brings back what a directory keeps, and keeps there what is committed from now on. Throws a {@link DataError}. */
export async function keep(firestore: Firestore, keeping: Keeping, report: (message: string) => void): Promise<void> {
  const data = await openData({ ...keeping, server: "firestore", state: stateOfFirestore(firestore), report });
  firestore.subscribe((commit) => data.append(commitRecord(commit)));
  firestore.data = data;
}

/** An answer, or why there is none, once all that it may rest on is on disk. */
export async function whenKept<Answer>(data: Data, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } finally {
    await settled(data);
  }
}

/** A stream that sends what it is given once that is on disk. */
export function holdBack<Message>(out: Outgoing<Message>, data: Data): Outgoing<Message> {
  return {
    soon: (act) => out.soon(act),
    send: (messages) => {
      const waiting = settled(data);
      return waiting ? waiting.then(() => out.send(messages)) : out.send(messages);
    },
  };
}

/** Refuses to commit while that cannot be kept. */
export function checkKeeping(data: Data | undefined): void {
  if (data?.refusal) throw refused(data.refusal);
}

/** Calls back when all that was committed so far is on disk; not at all if it never will be. */
export function whenSettled(data: Data | undefined, act: () => void): void {
  if (data) data.whenSettled((error) => error ?? act());
  else act();
}

function settled(data: Data): Promise<void> | undefined {
  return data.settled()?.catch((error: unknown) => {
    throw error instanceof DataError ? refused(error.message) : error;
  });
}

/** A code that clients do not try again on. */
function refused(message: string): StatusError {
  return new StatusError("FAILED_PRECONDITION", message);
}
