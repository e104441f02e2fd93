/** Boards on which scores are ranked. */
export { subscribers } from "./subscribers.ts";
