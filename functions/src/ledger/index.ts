/** The books: who has what, how it came to be, and that it can never be wrong by a coin. */

export { secretSeed } from "./chain.ts";
export { currencyOf, isMoney } from "./currencies.ts";
export { expireLots } from "./expiry.ts";
export { type Booked, transactionsAbout } from "./find.ts";
export { fold, foldAll } from "./fold.ts";
export { signHeads } from "./heads.ts";
export { capture, expireHolds, hold, prepareHold, release, renew } from "./holds.ts";
export { openHold } from "./open-hold.ts";
export { post, prepareAll, readTransaction } from "./post.ts";
export type { NewTransaction } from "./request.ts";
export { readReversal } from "./reverse.ts";
export { split } from "./split.ts";
export { owedAfter, sentSince } from "./transfers.ts";
