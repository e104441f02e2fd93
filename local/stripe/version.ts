/** The version of the API that the simulator speaks, and that the `stripe` package of the same age asks for. */
export const API_VERSION = "2026-10-28.endive";
