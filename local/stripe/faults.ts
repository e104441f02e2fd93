import { newId } from "./ids.ts";

/** What can go wrong with requests, on demand. */

export type FaultMode =
  | "timeout-before"
  | "timeout-after-success"
  | "500"
  | "500-after-success"
  | "429"
  | "409-lock"
  | "delay";

export interface Fault {
  readonly id: string;
  readonly method: string | undefined;
  /** The beginning of a path such as `/v1/refunds`, in which `*` stands for any part. */
  readonly path: string;
  readonly mode: FaultMode;
  /** How many requests it is still for. */
  times: number;
  /** How long a delay takes, in real milliseconds. */
  readonly millis: number;
}

const MAX_FAULTS = 1_000;

export class Faults {
  #faults: Fault[] = [];

  get all(): readonly Fault[] {
    return this.#faults;
  }

  /** Throws RangeError for more than 1,000. */
  add(fault: Omit<Fault, "id">): Fault {
    if (this.#faults.length >= MAX_FAULTS) throw new RangeError(`There can be at most ${MAX_FAULTS} faults.`);
    const added: Fault = { id: newId("fault"), ...fault };
    this.#faults.push(added);
    return added;
  }

  clear(): void {
    this.#faults = [];
  }

  /** The first fault that is for this request; it counts as used. */
  take(method: string, path: string): Fault | undefined {
    const fault = this.#faults.find((candidate) => isFor(candidate, method, path));
    if (fault === undefined) return undefined;
    fault.times--;
    if (fault.times <= 0) this.#faults = this.#faults.filter((candidate) => candidate !== fault);
    return fault;
  }
}

function isFor(fault: Fault, method: string, path: string): boolean {
  if (fault.method !== undefined && fault.method !== method) return false;
  const wanted = fault.path.split("/");
  const parts = path.split("/");
  return wanted.every((part, i) => (part === "*" ? i < parts.length : part === parts[i]));
}
