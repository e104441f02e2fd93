import type { Ruleset, RulesRequest, Verdict } from "../rules/rules.ts";
import { type RulesMap, RulesTimestamp } from "../rules/value.ts";
import type { Verify } from "./message.ts";
import { UnreadableValue } from "./value.ts";
import { variableOf } from "./variable.ts";

/** Documents that `firestore.get()` and `firestore.exists()` may look up. Source: https://firebase.google.com/docs/storage/security/rules-conditions */
const READ_LIMIT = 2;

export type Step =
  | { readonly verdict: Verdict; readonly debugged: readonly string[] }
  /** The document that the verdict waits for: segments from `databases` on. */
  | { readonly wanted: readonly string[] };

/** A document that is not known yet. */
class Wanted extends Error {
  readonly path: readonly string[];

  constructor(path: readonly string[]) {
    super();
    this.path = path;
  }
}

/**
 * A request being judged. Evaluating cannot wait, so where it needs a document it ends, and begins anew once the document is there: at
 * most once more for each that may be looked up.
 */
export class Verification {
  readonly #ruleset: Ruleset;
  readonly #request: Omit<RulesRequest, "document">;
  readonly #documents = new Map<string, RulesMap | null>();

  /** @throws UnreadableValue */
  constructor(ruleset: Ruleset, context: Verify["context"]) {
    this.#ruleset = ruleset;
    this.#request = requestOf(context);
  }

  step(): Step {
    const debugged: string[] = [];
    try {
      const verdict = this.#ruleset.evaluate({
        ...this.#request,
        document: (path) => this.#document(path),
        debug: (text) => debugged.push(text),
      });
      return { verdict, debugged };
    } catch (error) {
      if (error instanceof Wanted) return { wanted: error.path };
      throw error;
    }
  }

  /** @param document null if there is none */
  learn(path: readonly string[], document: RulesMap | null): void {
    this.#documents.set(JSON.stringify(path), document);
  }

  #document(path: readonly string[]): RulesMap | null {
    const known = this.#documents.get(JSON.stringify(path));
    if (known === undefined) throw new Wanted(path);
    return known;
  }
}

function requestOf({ path, method, variables }: Verify["context"]): Omit<RulesRequest, "document"> {
  const request = variableOf(variables.request);
  if (request === null) throw new UnreadableValue("There is no request.");
  const [auth = null, time, after] = ["auth", "time", "resource"].map((name) => request.get(name));
  if (auth !== null && !(auth instanceof Map)) throw new UnreadableValue("request.auth is neither a map nor null.");
  if (!(time instanceof RulesTimestamp)) throw new UnreadableValue("request.time is no time.");
  const resource = variableOf(variables.resource);
  return {
    service: "firebase.storage",
    method: methodOf(method, resource !== null, after instanceof Map),
    path: path.split("/").filter((segment) => segment !== ""),
    auth,
    time,
    resource,
    requestExtras: request,
    readLimit: READ_LIMIT,
  };
}

/** An overwrite is asked for as `create`. Of `write` it depends on what was there and what will be. */
function methodOf(method: Verify["context"]["method"], isThere: boolean, stays: boolean): RulesRequest["method"] {
  if (method === "read") return "get";
  if (method !== "write") return method;
  if (!isThere) return "create";
  return stays ? "update" : "delete";
}
