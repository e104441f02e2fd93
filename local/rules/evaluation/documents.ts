import { RulesError, type RulesMap, RulesPath, type RulesValue } from "../value.ts";
import type { RulesRequest } from "./request.ts";

/** The documents that one request has looked up: each once, and no more of them than it may. */
export class Documents {
  readonly #request: Pick<RulesRequest, "document" | "readLimit">;
  readonly #found = new Map<string, RulesMap | null>();
  readonly #paths = new Set<string>();

  constructor(request: Pick<RulesRequest, "document" | "readLimit">) {
    this.#request = request;
  }

  /** How many different documents were looked up. */
  get reads(): number {
    return this.#paths.size;
  }

  /** What `get`, `exists`, `getAfter` or `existsAfter` gives for a path; of a document that is not there null or false. */
  lookUp(name: string, path: RulesValue): RulesValue {
    const document = this.#document(documentPath(name, path), name.endsWith("After"));
    return name.startsWith("exists") ? document !== null : document;
  }

  #document(segments: readonly string[], after: boolean): RulesMap | null {
    const path = JSON.stringify(segments);
    const key = `${after}${path}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    if (!this.#paths.has(path) && this.#paths.size >= this.#request.readLimit) {
      throw new RulesError(`Maximum of ${this.#request.readLimit} document access calls has been reached.`);
    }
    this.#paths.add(path);
    const document = this.#request.document(segments, after);
    this.#found.set(key, document);
    return document;
  }
}

/** `databases`, the database's id, `documents`, and collections and ids in turn. */
function documentPath(name: string, path: RulesValue): readonly string[] {
  if (!(path instanceof RulesPath)) throw new RulesError(`Unexpected argument: ${name}() takes a path.`);
  const { segments } = path;
  const names = segments[0] === "databases" && segments[2] === "documents";
  if (!names || segments.length < 5 || segments.length % 2 === 0 || segments.includes("")) {
    throw new RulesError(`Invalid path: [/${segments.join("/")}] does not name a document.`);
  }
  return segments;
}
