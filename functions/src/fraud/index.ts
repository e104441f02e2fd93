/** What judges purchases, withdrawals and gifts before they happen, and has people look at what is in doubt. */

export { type Assessment, assess, isWatching } from "./assess.ts";
export { subscribers } from "./refunded.ts";
export { openReview, readReview } from "./review.ts";
export type { Subject } from "./subject.ts";
export { noteSandboxed, noteTransfer } from "./watch.ts";
