import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that stands for the functions emulator in tests: lists functions and notes how they are called. */

/** Not a part of the emulator's listing in full, just what is read of it. */
export interface Declared {
  readonly name: string;
  readonly schedule?: object;
  readonly platform?: string;
}

export interface FunctionCall {
  readonly key: string;
  readonly project: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class FunctionsDouble {
  declared: Declared[] = [];
  /** How often the emulator has loaded all functions anew; their keys end in it, and those of before stay, disabled. */
  generation = 0;
  /** Whether background functions are switched off. */
  isDisabled = false;
  /** What functions answer, by name. */
  answer: (name: string) => number | Promise<number> = () => 200;
  readonly calls: FunctionCall[] = [];
  open = 0;
  mostOpen = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const route = /^\/functions\/projects\/([^/]+)\/triggers\/([^/]+)$/.exec(request.url ?? "");
      if (request.method === "GET" && request.url === "/backends") {
        response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(this.#listing()));
        return;
      }
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
      const [, project = "", key = ""] = route ?? [];
      const { status, text } = await this.#call({ project, key, headers: request.headers, body });
      response.writeHead(status).end(text);
    });
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The times for which functions were called, as sent. */
  get times(): (string | string[] | undefined)[] {
    return this.calls.map(({ headers }) => headers["x-cloudscheduler-scheduletime"]);
  }

  /** As firebase-tools 15 writes it. */
  #listing(): object {
    const functionTriggers = this.declared.map(({ name, schedule, platform = "gcfv2" }) => ({
      entryPoint: name,
      platform,
      region: "us-central1",
      name,
      id: `us-central1-${name}`,
      codebase: "default",
      availableMemoryMb: 256,
      labels: {
        EVENTARC_CLOUD_EVENT_SOURCE: `run-emulated.googleapis.com/projects/demo-time/locations/us-central1/services/${name}`,
      },
      timeoutSeconds: 60,
      secretEnvironmentVariables: [],
      ...(schedule ? { eventTrigger: { eventType: "pubsub", resource: "" }, schedule } : { httpsTrigger: {} }),
    }));
    return { backends: [{ directory: "/functions", env: {}, functionTriggers }] };
  }

  async #call(call: FunctionCall): Promise<{ status: number; text: string }> {
    const keys = this.declared.flatMap(({ name }) =>
      Array.from({ length: this.generation + 1 }, (_, generation) => `us-central1-${name}-${generation}`),
    );
    if (!keys.includes(call.key)) {
      const text = `Function ${call.key} does not exist, valid functions are: ${keys.join(", ")}`;
      return { status: 404, text };
    }
    const [, name = "", generation] = /^us-central1-(.*)-(\d+)$/.exec(call.key) ?? [];
    if (this.isDisabled || Number(generation) < this.generation) return { status: 204, text: "" };
    this.calls.push(call);
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const status = await this.answer(name);
    this.open--;
    return { status, text: "" };
  }
}

/** Answers only after some milliseconds. */
export function slowly(millis: number, status = 200): () => Promise<number> {
  return async () => {
    await sleep(millis);
    return status;
  };
}
