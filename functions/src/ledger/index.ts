/** The books: who has what, how it came to be, and that it can never be wrong by a coin. */
export { currencyOf } from "./currencies.ts";
export { expireLots } from "./expiry.ts";
export { signHeads } from "./heads.ts";
export { expireHolds } from "./holds.ts";
export { type Prepared, post, prepare } from "./post.ts";
