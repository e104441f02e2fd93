import * as z from "zod";
import { cached } from "../platform/cache.ts";
import { groups } from "./records.ts";

/** A group keeps its name for as long as it is there. */
const FRESH = { processSeconds: 600, redisSeconds: 86_400 };
const Named = z.object({ name: z.string() });

/** The names of groups, by id; one that is not there is left out, if it was not a short time ago. Bill: one read for each, in a while. */
export async function groupNamesOf(ids: readonly string[]): Promise<Map<string, string>> {
  const found = await Promise.all([...new Set(ids)].map(async (id) => [id, await nameOf(id)] as const));
  return new Map(found.flatMap(([id, name]) => (name === undefined ? [] : [[id, name] as const])));
}

async function nameOf(id: string): Promise<string | undefined> {
  const named = await cached(`group:${id}:name`, FRESH, Named, async () => {
    const group = (await groups().doc(id).get()).data();
    return group && { name: group.name };
  });
  return named?.name;
}
