import { busy, Failure, keyReused } from "../../platform/failure.ts";
import { isAlreadyExists, isContention } from "../../platform/firestore.ts";

/**
 * Does what a request asks for, once: a repeated one costs what `find` does. It is looked for again when it is refused, or its record is
 * there by then, for it may have been carried out meanwhile. Refuses `busy` when too many were in the way.
 * @param find what was stored under the request's key; refuses `idempotency-key-reused` if that was another request
 */
export async function once<T>(act: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
  const before = await find();
  if (before !== undefined) return before;
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Failure || isAlreadyExists(error) || isContention(error))) throw error;
    const known = await find();
    if (known !== undefined) return known;
    // Its own commit may have landed without its hearing of it: then it finds that now.
    if (isAlreadyExists(error)) return await act();
    if (!isContention(error)) throw error;
    throw busy();
  }
}

/** Refuses a key that was used for another request. */
export function checkSame(fingerprint: string, stored: string | undefined): void {
  if (fingerprint === stored) return;
  throw keyReused();
}
