/** Boards on which scores are ranked: what reacts, and what runs by the clock. */
export { LiveTask, refreshLive } from "./live/refresh.ts";
export { servePublic } from "./public.ts";
export { keepUp, runBoardTask } from "./redis/upkeep.ts";
export { closeDue, runSeasonTask, SeasonTask } from "./seasons/schedule.ts";
export { subscribers } from "./subscribers.ts";
