import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type HttpFunction, http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { afterAll, beforeAll } from "vitest";
import { unsignedToken } from "../../local/tokens.ts";
import { type Modules, service } from "../src/platform/endpoint.ts";

/** For tests: a service as it is deployed, called with whatever bytes an app, or who pretends to be one, can send. */
export interface Wire {
  readonly port: number;
  /** POSTs a text to an action, as `leaderboards/submit`; of nobody without a uid. */
  send(action: string, text: string, uid?: string): Promise<Answered>;
}

/** What came back. `error` is as the callable protocol has it; undefined where it was answered otherwise. */
export interface Answered {
  readonly status: number;
  readonly result?: unknown;
  readonly error?: {
    readonly status: string;
    readonly details?: { readonly reason?: string; readonly field?: string };
  };
}

/** Serves a service in this process. Tokens are taken at their word, if the file's own `vi.hoisted` says so before anything is loaded. */
export function useWire(name: string, modules: Modules): Wire {
  http(name, service(name, modules, {}) as unknown as HttpFunction);
  const server = getTestServer(name);
  const portOf = () => (server.address() as AddressInfo).port;
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterAll(() => {
    server.close();
  });
  return {
    get port() {
      return portOf();
    },
    send: async (action, text, uid) => {
      const authorization = uid === undefined ? {} : { authorization: `Bearer ${unsignedToken({ sub: uid })}` };
      const response = await fetch(`http://127.0.0.1:${portOf()}/${name}/${action}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...authorization },
        body: text,
      });
      return { status: response.status, ...bodyOf(await response.text()) };
    },
  };
}

function bodyOf(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
