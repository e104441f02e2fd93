/** What people have besides coins, and the one way in which any module gives them something: items, entitlements. */
export { type Change, type PreparedChanges, prepareChanges } from "./change.ts";
export {
  readAllEntitlements,
  readEntitlements,
  withGround,
  writeEntitlements,
  writeGrounds,
} from "./entitlement.ts";
export { expireItems } from "./expire.ts";
export { type Entitlement, Ground } from "./records.ts";
export { ItemId, NOTHING, Reward } from "./reward.ts";
export { subscribers } from "./subscribers.ts";
