/** Where the places of a tournament are counted, if there are only so many; see `platform/stock.ts`. */
export function placesOf(board: string): string {
  return `leaderboards/${board}`;
}
