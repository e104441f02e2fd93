import { StatusError } from "./status.ts";

/** The token with which official clients of an emulator say that they are a server, for which rules do not hold. */
const OWNER = "Bearer owner";

/** Lets servers through. Everybody else is judged by security rules, and without an engine for these, denied. */
export function authorize(authorization: string | undefined): void {
  if (authorization === OWNER) return;
  throw new StatusError("PERMISSION_DENIED", "Missing or insufficient permissions.");
}
