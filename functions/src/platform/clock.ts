import { readFileSync } from "node:fs";

/**
 * The one source of the current time (law: time comes from here), so that tests can set it, and so that functions of the local suite
 * are of the suite's time.
 */
let read: () => number = process.env.FUNCTIONS_EMULATOR === "true" ? suiteTime : Date.now;

/** Milliseconds since the epoch. */
export function now(): number {
  return read();
}

/** Lets `now` answer with `millis` until the returned function is called. For tests. */
export function setClock(millis: number | (() => number)): () => void {
  const before = read;
  read = typeof millis === "number" ? () => millis : millis;
  return () => {
    read = before;
  };
}

/** Where the suite's clock is written down while it is not real time; see local/time. */
function suiteTime(): number {
  const file = process.env.FIREBASE_CLOCK_FILE;
  if (!file) return Date.now();
  try {
    const { offset = 0, frozenAt } = JSON.parse(readFileSync(file, "utf8")) as { offset?: number; frozenAt?: number };
    return frozenAt ?? Date.now() + offset;
  } catch {
    return Date.now();
  }
}
