import { randomUUID } from "node:crypto";
import { myProfile, updateProfile } from "../src/identity/own.ts";
import { subscribers } from "../src/leaderboards/subscribers.ts";
import { forgetAll } from "../src/platform/cache.ts";
import type { Caller } from "../src/platform/endpoint.ts";
import { deliver, outbox } from "../src/platform/outbox.ts";
import { someone } from "./backend.ts";

/** Somebody with a profile. */
export interface Person extends Caller {
  readonly handle: string;
}

/** Somebody with a profile, whose handle nobody has chosen yet: it can be changed once. */
export async function somebodyKnown(country?: string): Promise<Person> {
  const caller = someone(`h${randomUUID().slice(0, 12)}`);
  const { handle } = await myProfile(caller);
  if (country !== undefined) await updateProfile(caller, { country });
  return { ...caller, handle };
}

/** Gives somebody another handle; answers with it. */
export async function renamed(person: Caller): Promise<string> {
  const handle = `r${randomUUID().slice(0, 12)}`;
  await updateProfile(person, { handle });
  return handle;
}

/** Tells leaderboards what has happened, as the trigger does. */
export async function tellBoards(): Promise<void> {
  const due = await outbox().where("dueAt", ">", new Date(0)).get();
  for (const { id } of due.docs) await deliver(id, subscribers);
  forgetAll();
}
