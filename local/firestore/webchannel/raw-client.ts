import { DATABASE, type Harness } from "../harness.ts";

/** For tests: a client that leaves every word of the protocol to the test. */

export type Arrays = readonly (readonly [number: number, payload: readonly unknown[]])[];

export class RawClient {
  readonly #harness: Harness;

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  address(stream: string, parameters: Record<string, string>): string {
    const query = new URLSearchParams({ VER: "8", database: DATABASE, ...parameters });
    return `http://127.0.0.1:${this.#harness.server.port}/google.firestore.v1.Firestore/${stream}/channel?${query}`;
  }

  request(stream: string, parameters: Record<string, string>): Promise<Response> {
    return fetch(this.address(stream, parameters));
  }

  post(
    stream: string,
    parameters: Record<string, string>,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const type = { "content-type": "application/x-www-form-urlencoded" };
    return fetch(this.address(stream, parameters), { method: "POST", body, headers: { ...type, ...headers } });
  }

  async open(stream: string, messages: readonly unknown[]): Promise<string> {
    return sessionIn(await this.post(stream, { RID: "1" }, form(messages)));
  }

  async poll(stream: string, id: string, acknowledged: number, more: Record<string, string> = {}): Promise<Arrays> {
    return arraysIn(await this.request(stream, { RID: "rpc", SID: id, AID: String(acknowledged), CI: "1", ...more }));
  }

  /** The first message that a channel tells with a member, and with a word in it. */
  async untilTold(id: string, member: string, stream = "Listen", word = member): Promise<unknown> {
    for (let heard = 0, polls = 0; polls < 10; polls++) {
      const arrays = await this.poll(stream, id, heard, { TO: "1000" });
      const messages = arrays.map(([, [message]]) => message);
      const found = messages.find(
        (one) => typeof one === "object" && one !== null && member in one && JSON.stringify(one).includes(word),
      );
      if (found) return found;
      heard = arrays.at(-1)?.[0] ?? heard;
    }
    return undefined;
  }
}

export function form(messages: readonly unknown[], from = 0): string {
  const fields = messages.map((message, i): [string, string] => [`req${i}___data__`, JSON.stringify(message)]);
  return new URLSearchParams([["count", String(messages.length)], ["ofs", String(from)], ...fields]).toString();
}

export async function sessionIn(answer: Response): Promise<string> {
  const [opening] = await arraysIn(answer);
  return String(opening?.[1][1]);
}

/** All that an answer says. */
export async function arraysIn(answer: Response): Promise<Arrays> {
  return readArrays(await answer.text());
}

/** Reads pieces, each with its length before it; of an answer that was cut, those that came in whole. */
export function readArrays(text: string): Arrays {
  const arrays: Arrays[number][] = [];
  let rest = text;
  while (rest.includes("\n")) {
    const start = rest.indexOf("\n") + 1;
    const end = start + Number(rest.slice(0, start));
    if (end > rest.length) break;
    arrays.push(...(JSON.parse(rest.slice(start, end)) as Arrays));
    rest = rest.slice(end);
  }
  return arrays;
}
