/**
 * A player's last attempts, in one text: a field that is written with every score, and a list of maps takes several times as long to write, read
 * and measure. A line is what was submitted, a space, and the attempt's id as JSON, in which no line ends and no quotation mark stands bare.
 */

/** How many attempts a player's document remembers, to know a repeated submission. */
export const REMEMBERED_ATTEMPTS = 32;

export const NO_ATTEMPTS = "";

const END = "\n";

/** What was submitted in an attempt; undefined: it is not remembered. */
export function submittedIn(attempts: string, id: string): string | undefined {
  const at = attempts.lastIndexOf(endOf(id));
  return at === -1 ? undefined : attempts.slice(attempts.lastIndexOf(END, at) + 1, at);
}

/** The attempts with one more, of which the oldest may be forgotten. @param submitted in which no line ends */
export function withAttempt(attempts: string, id: string, submitted: string): string {
  let [from, count] = [attempts.length, 1];
  while (from > 0 && count < REMEMBERED_ATTEMPTS) {
    from = attempts.lastIndexOf(END, from - 2) + 1;
    count++;
  }
  return attempts.slice(from) + submitted + endOf(id);
}

function endOf(id: string): string {
  return ` ${JSON.stringify(id)}${END}`;
}
