/** What people have besides coins, and the one way in which any module gives them something: items, entitlements. */
export { checkGivable } from "./bag.ts";
export { type Change, type PreparedChanges, prepareChanges } from "./change.ts";
export {
  endAfter,
  groundsFrom,
  readAllEntitlements,
  readEntitlements,
  withGround,
  writeEntitlements,
  writeGrounds,
} from "./entitlement.ts";
export { expireItems } from "./expire.ts";
export { type Entitlement, Ground } from "./records.ts";
export { NOTHING, Reward, repeated } from "./reward.ts";
export { subscribers } from "./subscribers.ts";
