/** The account of the house that prizes come from, and that fees of tournaments go to. */
export const PRIZES = "system:prizes";
