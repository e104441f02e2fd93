import { firestore } from "../firestore.ts";
import { decodeRead, type Found } from "./decode.ts";
import { encodeRead, nameOf } from "./encode.ts";
import { ask, reachable } from "./way.ts";

/**
 * Documents as they are stored, all as of one moment, in the order of their paths (as `accounts/ada:COIN`); undefined for those that are
 * not there. Whatever goes wrong, the client is asked instead, which tries again, and throws what has gRPC's status as its `code`. What is
 * found has not been checked; see `checked` in platform/firestore.ts. Bill: a read for each path, once.
 * Source: https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1#google.firestore.v1.Firestore.BatchGetDocuments
 */
export async function readDocuments(paths: readonly string[]): Promise<(Found | undefined)[]> {
  if (paths.length === 0) return [];
  const database = reachable();
  if (database === undefined) return await readByClient(paths);
  try {
    return await readDirectly(database, paths);
  } catch {
    return await readByClient(paths);
  }
}

async function readDirectly(database: string, paths: readonly string[]): Promise<(Found | undefined)[]> {
  const answers = await ask(database, "BatchGetDocuments", encodeRead(database, paths));
  // They come in any order.
  const read = new Map<string | undefined, Found | undefined>();
  for (const answer of answers) {
    const { name, found } = decodeRead(answer);
    read.set(name, found);
  }
  return paths.map((path) => {
    const name = nameOf(database, path);
    if (!read.has(name)) throw new RangeError(`nothing was said of ${path}`);
    return read.get(name);
  });
}

async function readByClient(paths: readonly string[]): Promise<(Found | undefined)[]> {
  const snapshots = await firestore().getAll(...paths.map((path) => firestore().doc(path)));
  return snapshots.map((snapshot) => {
    const [fields, updateTime] = [snapshot.data(), snapshot.updateTime];
    return fields && updateTime ? { fields, updateTime } : undefined;
  });
}
