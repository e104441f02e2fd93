import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const MAX_QUEUED = 100_000;
const PARALLEL = 8;
const TIMEOUT_MILLIS = 10 * 60_000;
/** Doubled with each try. */
const RETRY_MILLIS = 400;

/** An event on its way to a function. */
export interface Delivery {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
  /** The functions emulator does not know the function any more. */
  readonly onGone: () => void;
}

export interface DeliveriesOptions {
  /** `host:port` of the functions emulator; without it there is nowhere to send to. */
  readonly host: string | undefined;
  /** How often an event is sent to an emulator that does not answer at all. An answer, whatever it says, is not asked for again. */
  readonly attempts: number;
  /** Hears of what could not be delivered, in a sentence. */
  readonly report: (message: string) => void;
}

/** Sends events to the functions emulator, a few at a time, in the order in which they came. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #queue: Delivery[] = [];
  #running = 0;
  #dropped = 0;
  #closed = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.host !== undefined && !this.#closed;
  }

  enqueue(delivery: Delivery): void {
    if (!this.enabled) return;
    if (this.#queue.length >= MAX_QUEUED) {
      this.#dropped++;
      if (this.#dropped === 1 || this.#dropped % 1_000 === 0) {
        this.#options.report(`${this.#dropped} function event(s) dropped: more than ${MAX_QUEUED} are waiting`);
      }
      return;
    }
    this.#queue.push(delivery);
    if (this.#running < PARALLEL) void this.#work();
  }

  /** Stops; what is queued is dropped. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
  }

  async #work(): Promise<void> {
    this.#running++;
    for (let next = this.#queue.shift(); next && !this.#closed; next = this.#queue.shift()) await this.#deliver(next);
    this.#running--;
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { host, attempts, report } = this.#options;
    for (let attempt = 1; attempt <= attempts && !this.#closed; attempt++) {
      try {
        const status = await post(`http://${host}${delivery.url}`, delivery);
        if (status === 204 || status === 404) delivery.onGone();
        return;
      } catch (error) {
        if (attempt === attempts) report(`event for ${delivery.url} not delivered: ${(error as Error).message}`);
        else await sleep(RETRY_MILLIS * 2 ** (attempt - 1));
      }
    }
  }
}

function post(url: string, { contentType, body }: Delivery): Promise<number> {
  const bytes = Buffer.from(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      {
        method: "POST",
        timeout: TIMEOUT_MILLIS,
        headers: { "content-type": contentType, "content-length": bytes.length },
      },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      },
    );
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", reject);
    request.end(bytes);
  });
}
