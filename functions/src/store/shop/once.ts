import { busy, Failure, keyReused } from "../../platform/failure.ts";
import { isAlreadyExists, isContention } from "../../platform/firestore.ts";

/**
 * Does what a request asks for, once. A new request is not looked for first, because most are new: only when it is refused, or its record
 * is there already, is it seen whether it was carried out before. Refuses `busy` when too many were in the way.
 * @param find what was stored under the request's key; refuses `idempotency-key-reused` if that was another request
 */
export async function once<T>(act: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
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
