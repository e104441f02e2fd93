import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sayAll } from "../../harness.ts";
import { DATABASE, useServer } from "../harness.ts";
import { form, RawClient, readArrays } from "./raw-client.ts";

const harness = useServer();
const client = new RawClient(harness);
const MAX_POLLS = 200;
const TOO_LONG = 40 * 1024 * 1024;
let documents = 0;

/** What a network, and a client that is not sure what has arrived, do to a channel. */
const events = fc.oneof(
  fc.record({ kind: fc.constant("send" as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("send again" as const), from: fc.nat() }),
  fc.record({ kind: fc.constant("overtake" as const) }),
  fc.record({ kind: fc.constant("hear" as const), isStreaming: fc.boolean(), millis: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kind: fc.constant("hear twice" as const), millis: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kind: fc.constant("lie" as const), ahead: fc.integer({ min: 1, max: 1_000_000 }) }),
);
type NetworkEvent = typeof events extends fc.Arbitrary<infer One> ? One : never;

describe("whatever a network does to a channel", () => {
  test("each message of the client is taken once and in order, and each array reaches it in order, unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(events, { maxLength: 25 }), async (all) => {
        const path = `rooms/${++documents}`;
        const writer = await Writer.open(path);
        for (const event of all) await writer.meet(event);
        await writer.hearAll();
        await writer.leave();
        const numbers = [...writer.heard.keys()];
        expect(numbers).toEqual(numbers.map((_, i) => i + 1));
        const written = await harness.client.doc(path).get();
        const { numbers: order = [], count = 0 } = written.data() ?? {};
        expect(order).toEqual(Array.from({ length: writer.sent }, (_, i) => i + 1));
        expect(count).toBe(writer.sent);
      }),
      { numRuns: 40 },
    );
    expect(harness.reports).toEqual([]);
  });

  test("what is far too long is refused when it has been said, and the channel goes on", async () => {
    const writer = await Writer.open(`rooms/${++documents}`);
    expect(await writer.sayAll(`count=1&req0___data__=${"x".repeat(TOO_LONG)}`)).toMatch(/^HTTP\/1.1 400 /);
    await writer.meet({ kind: "send", count: 1 });
    await writer.hearAll();
  });
});

/** A client of the Write stream that keeps count of what it has said and heard, as that of browsers does. */
class Writer {
  readonly #id: string;
  readonly #path: string;
  /** How many writes have been sent at least once. */
  sent = 0;
  /** What has been heard, by number. */
  readonly heard = new Map<number, string>();

  private constructor(id: string, path: string) {
    this.#id = id;
    this.#path = path;
  }

  static async open(path: string): Promise<Writer> {
    return new Writer(await client.open("Write", [{ database: DATABASE }]), path);
  }

  async meet(event: NetworkEvent): Promise<void> {
    if (event.kind === "send") await this.#send(this.sent + 1, this.sent + event.count);
    else if (event.kind === "send again") await this.#send(1 + (event.from % (this.sent + 1)), this.sent);
    else if (event.kind === "overtake") await this.#overtake();
    else if (event.kind === "hear") await this.#hear(event);
    else if (event.kind === "hear twice") await this.#hearTwice(event.millis);
    else await this.#lie(event.ahead);
  }

  /** Listens until every write has been answered. */
  async hearAll(): Promise<void> {
    for (let polls = 0; this.#answers() < this.sent; polls++) {
      expect(polls).toBeLessThan(MAX_POLLS);
      await this.#hear({ isStreaming: false });
    }
    expect(this.#answers()).toBe(this.sent);
  }

  async leave(): Promise<void> {
    await client.request("Write", { RID: "9", SID: this.#id, TYPE: "terminate" });
  }

  /** Brings a body and does not listen before all of it is out, as browsers do. Returns how the answer begins. */
  async sayAll(body: string): Promise<string> {
    return await sayAll("POST", client.address("Write", { RID: "2", SID: this.#id }), body);
  }

  #post(body: string): Promise<Response> {
    return client.post("Write", { RID: "2", SID: this.#id }, body);
  }

  #answers(): number {
    return [...this.heard.values()].filter((text) => text.includes("writeResults")).length;
  }

  async #send(from: number, to: number): Promise<void> {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    this.sent = Math.max(this.sent, to);
    const body = form(
      numbers.map((number) => append(this.#path, number)),
      from,
    );
    expect((await this.#post(body)).status).toBe(200);
  }

  async #overtake(): Promise<void> {
    const next = this.sent + 1;
    await this.#send(next + 1, next + 1);
    await this.#send(next, next);
  }

  /** Listens, and is cut off after a time if one is given: of the answer only what came in whole counts. */
  async #hear({ isStreaming, millis }: { isStreaming: boolean; millis?: number }): Promise<void> {
    const cut = new AbortController();
    const address = this.#address(this.#last(), isStreaming);
    const text = readUntilCut(address, cut.signal);
    if (millis !== undefined) void sleep(millis).then(() => cut.abort());
    for (const [number, payload] of readArrays(await text)) {
      const before = this.heard.get(number);
      if (before === undefined) expect(number).toBe(this.#last() + 1);
      else expect(JSON.stringify(payload)).toBe(before);
      this.heard.set(number, JSON.stringify(payload));
    }
  }

  /** The answer to the first is thrown away, whichever of the two the server meets first. */
  async #hearTwice(millis: number): Promise<void> {
    const lost = new AbortController();
    const first = readUntilCut(this.#address(this.#last(), true), lost.signal);
    await this.#hear({ isStreaming: true, millis });
    lost.abort();
    await first;
  }

  /** Speaks of what has not been, of nobody's channel, and of nothing. */
  async #lie(ahead: number): Promise<void> {
    const last = this.#last() + this.sent + 1_000 + ahead;
    const lies = [
      client.request("Write", { RID: "rpc", SID: this.#id, AID: String(last) }),
      client.request("Write", { RID: "rpc", SID: `${this.#id}x`, AID: "0" }),
      client.request("Listen", { RID: "rpc", SID: this.#id, AID: "0" }),
      this.#post(form([append(this.#path, 0)], this.sent + 1_000_000)),
      this.#post("count=2&req0___data__={}"),
    ];
    for (const { status } of await Promise.all(lies)) expect(status).toBe(400);
  }

  #last(): number {
    return this.heard.size;
  }

  #address(acknowledged: number, isStreaming: boolean): string {
    return client.address("Write", {
      RID: "rpc",
      SID: this.#id,
      AID: String(acknowledged),
      CI: isStreaming ? "0" : "1",
    });
  }
}

async function readUntilCut(address: string, signal: AbortSignal): Promise<string> {
  let text = "";
  try {
    const { body } = await fetch(address, { signal });
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return text;
}

/** A write that shows how often it was made, and after which. */
function append(path: string, number: number): object {
  const document = `${DATABASE}/documents/${path}`;
  const fieldTransforms = [
    { fieldPath: "numbers", appendMissingElements: { values: [{ integerValue: String(number) }] } },
    { fieldPath: "count", increment: { integerValue: "1" } },
  ];
  return { writes: [{ transform: { document, fieldTransforms } }] };
}
