import { commitWrites, type Write } from "./commit/index.ts";
import type { Timestamp } from "./firestore.ts";

/** What became of a write: when it was made, or gRPC's status code. */
export interface Written {
  readonly time?: Timestamp | undefined;
  readonly code?: number;
}

export async function writeEach(writes: readonly Write[]): Promise<Written[]> {
  return await Promise.all(
    writes.map(async (write) => {
      try {
        return { time: (await commitWrites([write]))[0] };
      } catch (error) {
        return { code: (error as { code?: number }).code ?? 2 };
      }
    }),
  );
}
