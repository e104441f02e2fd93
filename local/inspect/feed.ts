import { setTimeout as sleep } from "node:timers/promises";
import type { Bills } from "./bill.ts";
import type { InvocationFilter, Invocations } from "./invocations.ts";
import type { Service, Sources } from "./sources.ts";

/** So often those who look are told what is new. Nobody is asked while nobody looks. */
const EVERY_MILLIS = 500;
const SERVICES: readonly Service[] = ["firestore", "database"];

export interface Wanted {
  /** Filters of requests, as the emulators take them. */
  readonly requests: Readonly<Record<string, string>>;
  readonly functions: InvocationFilter;
  /** The mark since which the bill is wanted. */
  readonly mark: string | undefined;
  /** Whether only what is to come is wanted. */
  readonly isFromNow: boolean;
}

interface Watched {
  readonly sources: Sources;
  readonly invocations: Invocations;
  readonly bills: Bills;
}

/**
 * What is new, as events with JSON, until the signal says that nobody looks any more: `requests`, `functions`, `bill`, each only if there is
 * something to tell; and `trouble` when an emulator does not answer.
 */
export async function* feed(watched: Watched, wanted: Wanted, signal: AbortSignal): AsyncGenerator<[string, unknown]> {
  const seen = { firestore: 0, database: 0, functions: 0 };
  let lastBill = "";
  let isMuted = wanted.isFromNow;
  while (!signal.aborted) {
    try {
      const requests = await newRequests(watched.sources, wanted, seen);
      if (requests.length > 0 && !isMuted) yield ["requests", requests];
      const functions = watched.invocations.list({ ...wanted.functions, after: seen.functions });
      seen.functions = functions.at(-1)?.id ?? seen.functions;
      if (functions.length > 0 && !isMuted) yield ["functions", functions];
      isMuted = false;
      const bill = await watched.bills.since(wanted.mark);
      const text = JSON.stringify(bill);
      if (text !== lastBill) yield ["bill", bill];
      lastBill = text;
    } catch (error) {
      yield ["trouble", { message: (error as Error).message }];
    }
    await sleep(EVERY_MILLIS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function newRequests(sources: Sources, { requests }: Wanted, seen: Record<Service, number>) {
  const answers = await Promise.all(
    SERVICES.map(async (service) => {
      const fresh = await sources.requests(service, { ...requests, after: String(seen[service]) });
      seen[service] = fresh.at(-1)?.id ?? seen[service];
      return fresh;
    }),
  );
  return answers.flat().sort((a, b) => a.at - b.at);
}
