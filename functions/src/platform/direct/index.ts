/**
 * Firestore without its client, for what is done thousands of times a second. The client goes over what is written or read five times
 * (validation, its own form, gRPC's plain form, its classes, bytes), which for what the ledger does costs as much as the ledger. This goes
 * over it once, says the same to the same server, and does nothing else: where it fails there is the client to fall back on.
 */
export { commitWrites } from "./commit.ts";
export type { Outcome } from "./decode.ts";
export type { Write } from "./encode.ts";
export { readDocuments } from "./read.ts";
export { writeEach } from "./write-each.ts";
