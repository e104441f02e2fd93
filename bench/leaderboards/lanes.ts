/** So many questions are under way at any time. */
export const LANES = 32;

/**
 * Asks over and over again from this process, in {@link LANES} lanes.
 * @param ask is given how many were asked before
 * @returns milliseconds of each that was answered in time
 */
export async function askFor(millis: number, ask: (i: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  const until = performance.now() + millis;
  let asked = 0;
  await Promise.all(Array.from({ length: LANES }, lane));
  return taken;

  async function lane(): Promise<void> {
    for (let began = performance.now(); began < until; began = performance.now()) {
      await ask(asked++);
      const answered = performance.now();
      if (answered < until) taken.push(answered - began);
    }
  }
}
