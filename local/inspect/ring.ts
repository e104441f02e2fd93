/** The last so many things; what is older is forgotten. */
export class Ring<T> {
  readonly #slots: T[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(one: T): void {
    this.#slots[this.#next] = one;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** All that is kept, oldest first. */
  *[Symbol.iterator](): Generator<T> {
    const { length } = this.#slots;
    const first = length < this.#capacity ? 0 : this.#next;
    for (let i = 0; i < length; i++) yield this.#slots[(first + i) % length] as T;
  }
}
