import { firestore } from "../src/platform/firestore.ts";
import { withRedis } from "../src/platform/redis.ts";

/** For tests: what is there, to be compared. */

/** When each document of some collections was last written; by path. @param collections as `leaderboards/arcade/players` */
export async function versionsIn(collections: readonly string[]): Promise<Record<string, string>> {
  const found = await Promise.all(collections.map((path) => firestore().collection(path).get()));
  const entries = found.flatMap(({ docs }) =>
    docs.map(({ ref, updateTime: at }) => [ref.path, `${at.seconds}.${at.nanoseconds}`] as const),
  );
  return Object.fromEntries(entries);
}

/** What is in Redis under keys that a text is part of: by key, as `DUMP` gives it. Throws if Redis does not answer. */
export async function dumpOfRedis(part: string): Promise<Record<string, string>> {
  const dump = await withRedis(async (client) => {
    const keys = (await client.keys(`*${part}*`)).sort();
    const values = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
    return Object.fromEntries(keys.map((key, i) => [key, values[i]?.toString("base64") ?? ""]));
  });
  if (!dump) throw new Error("Redis does not answer");
  return dump;
}
