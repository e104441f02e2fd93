/** What Firestore would have billed, by the meter of the local server. */
export interface Bill {
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
}

/** Reads the usage meter of a local Firestore server. */
export class Meter {
  readonly #url: string;

  constructor(firestoreHost: string, project: string) {
    this.#url = `http://${firestoreHost}/emulator/v1/projects/${project}/usage`;
  }

  async total(): Promise<Bill> {
    return (await (await fetch(this.#url)).json()) as Bill;
  }

  /** What an action bills. Whatever else happens at the same time is counted too. */
  async of<T>(action: () => Promise<T>): Promise<{ result: T; bill: Bill }> {
    const { mark } = (await (await fetch(`${this.#url}:mark`, { method: "POST" })).json()) as { mark: string };
    const result = await action();
    const bill = (await (await fetch(`${this.#url}?since=${mark}`)).json()) as Bill;
    return { result, bill };
  }
}
