/**
 * The one source of the current time (law: time comes from here), so that tests and the local suite can set it.
 */
let read: () => number = Date.now;

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
