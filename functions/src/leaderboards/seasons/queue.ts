/** The function that closes seasons and has what is kept of them follow their players, and the queue of its tasks. */
export const SEASON_QUEUE = "seasonTasks";
