import { request as httpRequest } from "node:http";

const MAX_QUEUED = 100_000;
const PARALLEL = 8;
const TIMEOUT_MILLIS = 10 * 60_000;

/** An event on its way to a function. */
export interface Delivery {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
  /** The functions emulator does not know the function any more. */
  readonly onGone: () => void;
}

/** Sends events to the functions emulator, each once, a few at a time, in the order in which they came. */
export class Deliveries {
  readonly #host: string | undefined;
  readonly #report: (message: string) => void;
  readonly #queue: Delivery[] = [];
  #running = 0;
  #dropped = 0;
  #closed = false;

  /** @param host `host:port` of the functions emulator; without it there is nowhere to send to */
  constructor(host: string | undefined, report: (message: string) => void) {
    this.#host = host;
    this.#report = report;
  }

  get enabled(): boolean {
    return this.#host !== undefined && !this.#closed;
  }

  enqueue(delivery: Delivery): void {
    if (!this.enabled) return;
    if (this.#queue.length >= MAX_QUEUED) {
      this.#dropped++;
      if (this.#dropped === 1 || this.#dropped % 1_000 === 0) {
        this.#report(`${this.#dropped} function event(s) dropped: more than ${MAX_QUEUED} are waiting`);
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
    try {
      const status = await post(`http://${this.#host}${delivery.url}`, delivery);
      if (status === 204 || status === 404) delivery.onGone();
    } catch (error) {
      this.#report(`event for ${delivery.url} not delivered: ${(error as Error).message}`);
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
