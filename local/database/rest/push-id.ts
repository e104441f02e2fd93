import { randomBytes } from "node:crypto";

/** In the order of their character codes, so that ids sort by the time they were made. */
const ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const TIME_LENGTH = 8;
const RANDOM_LENGTH = 12;

/** Makes keys for children: 8 characters of milliseconds and 12 of chance, each larger than the one before. */
export class PushIds {
  #lastTime = 0;
  #chance: number[] = [];

  next(now: number): string {
    // A clock that steps back must not make smaller ids.
    const time = Math.max(now, this.#lastTime);
    if (time === this.#lastTime) this.#increment();
    else this.#chance = [...randomBytes(RANDOM_LENGTH)].map((byte) => byte % ALPHABET.length);
    this.#lastTime = time;
    return spell(digits(time)) + spell(this.#chance);
  }

  #increment(): void {
    for (let i = this.#chance.length - 1; i >= 0; i--) {
      const next = ((this.#chance[i] as number) + 1) % ALPHABET.length;
      this.#chance[i] = next;
      if (next !== 0) return;
    }
  }
}

function digits(time: number): number[] {
  const values: number[] = [];
  for (let rest = time; values.length < TIME_LENGTH; rest = Math.floor(rest / ALPHABET.length)) {
    values.unshift(rest % ALPHABET.length);
  }
  return values;
}

function spell(values: readonly number[]): string {
  return values.map((value) => ALPHABET[value]).join("");
}
