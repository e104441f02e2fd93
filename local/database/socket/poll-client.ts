import { createContext, runInContext } from "node:vm";

type Message = { readonly t: string; readonly d: unknown };

/** As long as addresses of polls may be, and what stands before the text of each piece in them. */
const MAX_TEXT = 1_870;
const HEADER = 30;

/**
 * For tests: a browser that polls. Scripts run in a frame whose parent has the callbacks; there is always one poll under way, and a second
 * one while there is something to say. Source: BrowserPollConnection of the Firebase JavaScript SDK.
 */
export class PollClient {
  readonly messages: Message[] = [];
  /** What `pLPCommand` was called with. */
  readonly commands: unknown[][] = [];
  readonly closed: Promise<void>;
  /** The answers that came, each with its number. */
  readonly answers: number[] = [];
  readonly #address: string;
  readonly #frame: object;
  readonly #waiting: (() => void)[] = [];
  readonly #segments: { seg: number; ts: number; d: string }[] = [];
  #onClosed: () => void = () => undefined;
  #underWay = 0;
  #serial = 1_000;
  #nextSegment = 0;
  #requests = 0;
  #isClosed = false;
  #isStarted = false;

  /** @param address of the server, with the namespace */
  constructor(address: string) {
    this.#address = address;
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    const window = {
      pLPCommand7: (...told: unknown[]) => this.#onCommand(told),
      pRTLPCB7: (number: number, data: Message[]) => this.#onData(number, data),
    };
    this.#frame = createContext({ parent: { window } });
  }

  get id(): string {
    return `id=${this.commands[0]?.[1]}&pw=${this.commands[0]?.[2]}`;
  }

  /** The session, once greeted. */
  get session(): string {
    return (this.messages[0] as { d: { d: { s: string } } }).d.d.s;
  }

  async start(parameters = ""): Promise<this> {
    await this.#load(`start=t&ser=1&cb=7&v=5${parameters}`);
    this.#isStarted = true;
    this.#poll();
    return this;
  }

  send(message: object): void {
    const text = Buffer.from(JSON.stringify(message)).toString("base64url");
    const padded = text.padEnd(Math.ceil(text.length / 4) * 4, ".");
    const pieces = padded.match(new RegExp(`.{1,${MAX_TEXT - HEADER}}`, "g")) ?? [];
    for (const d of pieces) this.#segments.push({ seg: this.#nextSegment++, ts: pieces.length, d });
    if (this.#isStarted) this.#poll();
  }

  /** Sends a request and waits for its answer's body. */
  async ask(action: string, body: object): Promise<{ s: string; d: unknown }> {
    const request = ++this.#requests;
    this.send({ t: "d", d: { r: request, a: action, b: body } });
    const answer = await this.next(({ t, d }) => t === "d" && (d as { r?: number }).r === request);
    return (answer.d as { b: { s: string; d: unknown } }).b;
  }

  async next(isWanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const message = this.messages.find(isWanted);
      if (message) return message;
      if (this.#isClosed) throw new Error("closed before it came");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Polls no more and says nothing, as a browser that has lost its network. */
  vanish(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #poll(): void {
    while (!this.#isClosed && this.#underWay < (this.#segments.length > 0 ? 2 : 1)) {
      let data = "";
      for (let i = 0; this.#segments[0] && data.length + this.#segments[0].d.length + HEADER <= MAX_TEXT; i++) {
        const { seg, ts, d } = this.#segments.shift() as { seg: number; ts: number; d: string };
        data += `&seg${i}=${seg}&ts${i}=${ts}&d${i}=${d}`;
      }
      this.#underWay++;
      void this.#load(`${this.id}&ser=${++this.#serial}${data}`).then(
        () => {
          this.#underWay--;
          this.#poll();
        },
        () => this.#close(),
      );
    }
  }

  async #load(query: string): Promise<void> {
    const response = await fetch(`${this.#address}&${query}`);
    runInContext(await response.text(), this.#frame);
  }

  #onCommand(told: unknown[]): void {
    this.commands.push(told);
    if (told[0] === "close") this.#close();
  }

  #onData(number: number, data: Message[]): void {
    this.answers.push(number);
    this.messages.push(...data);
    this.#wake();
  }

  #close(): void {
    this.#isClosed = true;
    this.#onClosed();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
