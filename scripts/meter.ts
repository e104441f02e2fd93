import { setTimeout as sleep } from "node:timers/promises";

/** What Firestore would have billed, by the meter of the local server. */
export interface Bill {
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
}

const QUIET_MILLIS = 500;
const SETTLE_TIMEOUT_MILLIS = 10_000;

/** Reads the usage meter of a local Firestore server. */
export class Meter {
  readonly #url: string;

  constructor(firestoreHost: string, project: string) {
    this.#url = `http://${firestoreHost}/emulator/v1/projects/${project}/usage`;
  }

  async total(): Promise<Bill> {
    return (await (await fetch(this.#url)).json()) as Bill;
  }

  /** Waits until nothing more is billed: what was set off has come to its end, or to a pause. */
  async settled(): Promise<void> {
    let [before, after, since] = ["", await this.#text(), Date.now()];
    const until = since + SETTLE_TIMEOUT_MILLIS;
    while (Date.now() < until && Date.now() - since < QUIET_MILLIS) {
      await sleep(50);
      [before, after] = [after, await this.#text()];
      if (before !== after) since = Date.now();
    }
  }

  async #text(): Promise<string> {
    return await (await fetch(this.#url)).text();
  }

  /** What an action bills. Whatever else happens at the same time is counted too. */
  async of<T>(action: () => Promise<T>): Promise<{ result: T; bill: Bill }> {
    const { mark } = (await (await fetch(`${this.#url}:mark`, { method: "POST" })).json()) as { mark: string };
    const result = await action();
    const bill = (await (await fetch(`${this.#url}?since=${mark}`)).json()) as Bill;
    return { result, bill };
  }
}
