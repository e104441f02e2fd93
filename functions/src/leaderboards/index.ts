/** Boards on which scores are ranked: what reacts, and what runs by the clock. */
export { closeDue, runSeasonTask, SeasonTask } from "./seasons/schedule.ts";
export { subscribers } from "./subscribers.ts";
