/** What belongs together because it came together. */

export interface Batching {
  /** Items of one batch, at most. */
  readonly max: number;
  /** Batches under way at the same time. */
  readonly parallel: number;
  /** Another batch is begun beside the first for so many at once; fewer wait for one to end… */
  readonly worthAnother: number;
  /** …but no longer than this. */
  readonly patienceMillis: number;
  /** Items that wait; more are refused. */
  readonly waiting: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly settled: PromiseWithResolvers<Result>;
}

/**
 * Gathers what arrives in an instance at about the same time, so that it is read and written together. What shares a key with something that
 * is under way waits for that to end, so that an instance does not stand in its own way.
 */
export class Batches<Item, Result> {
  readonly #options: Batching;
  readonly #run: (items: readonly Item[]) => Promise<PromiseSettledResult<Result>[]>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  readonly #busyKeys = new Set<string>();
  #underWay = 0;
  #isPumping = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param run carries a batch out and says what became of each, in order */
  constructor(options: Batching, run: (items: readonly Item[]) => Promise<PromiseSettledResult<Result>[]>) {
    this.#options = options;
    this.#run = run;
  }

  /** Has an item carried out with others; undefined if too many wait. */
  add(key: string, item: Item): Promise<Result> | undefined {
    if (this.#waiting.length >= this.#options.waiting) return undefined;
    const settled = Promise.withResolvers<Result>();
    this.#waiting.push({ item, key, settled });
    this.#pumpSoon();
    return settled.promise;
  }

  /** Starts whatever can be started, once what has arrived together is there. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      this.#pump(true);
    });
  }

  #pump(isPatient: boolean): void {
    while (this.#mayStart(isPatient)) {
      const batch = this.#next();
      if (batch.length === 0) return;
      void this.#carryOut(batch);
    }
    if (this.#waiting.length === 0 || this.#underWay >= this.#options.parallel) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#pump(false);
    }, this.#options.patienceMillis);
  }

  #mayStart(isPatient: boolean): boolean {
    if (this.#waiting.length === 0 || this.#underWay >= this.#options.parallel) return false;
    return this.#underWay === 0 || !isPatient || this.#waiting.length >= this.#options.worthAnother;
  }

  /** Those that have waited longest, but one of each key. */
  #next(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    for (let i = 0; i < this.#waiting.length && batch.length < this.#options.max; ) {
      const one = this.#waiting[i] as Waiting<Item, Result>;
      if (this.#busyKeys.has(one.key)) {
        i++;
        continue;
      }
      this.#busyKeys.add(one.key);
      batch.push(one);
      this.#waiting.splice(i, 1);
    }
    return batch;
  }

  async #carryOut(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.#underWay++;
    try {
      const results = await this.#run(batch.map(({ item }) => item));
      for (const [i, { settled }] of batch.entries()) {
        const result = results[i];
        if (result?.status === "fulfilled") settled.resolve(result.value);
        else settled.reject(result?.reason ?? new Error("nothing became of an item of a batch"));
      }
    } catch (error) {
      for (const { settled } of batch) settled.reject(error);
    } finally {
      this.#underWay--;
      for (const { key } of batch) this.#busyKeys.delete(key);
      this.#pumpSoon();
    }
  }
}
