/** The books: who has what, how it came to be, and that it can never be wrong by a coin. */

export type { NewTransaction } from "./books.ts";
export { currencyOf } from "./currencies.ts";
export { expireLots } from "./expiry.ts";
export { signHeads } from "./heads.ts";
export { expireHolds } from "./holds.ts";
export { post, prepareAll } from "./post.ts";
export { readReversal } from "./reverse.ts";
export { owedAfter, sentSince } from "./transfers.ts";
