import type { Constraint, Ruleset, RulesQuery, RulesRequest } from "../../rules/rules.ts";
import { type RulesMap, RulesPath, RulesTimestamp } from "../../rules/value.ts";
import type { Firestore, OpenDatabase } from "../firestore.ts";
import { formatFieldPath, isDocumentName } from "../model/path.ts";
import { isArray, Reference, type Value } from "../model/value.ts";
import type { Comparison } from "../query/filter.ts";
import type { Query } from "../query/query.ts";
import type { Call } from "../record/call.ts";
import type { DocumentDraft } from "../store/batch.ts";
import type { Database } from "../store/database.ts";
import { isWide } from "../store/index.ts";
import { StatusError } from "../wire/status.ts";
import type { Caller } from "./caller.ts";
import { resourceOf, rulesValueOf, rulesValueOfJson, segmentsOf } from "./values.ts";

/** Documents that `get()` and `exists()` may look up. Source: https://firebase.google.com/docs/firestore/quotas#security_rules */
const READS_OF_ONE = 10;
const READS_OF_MANY = 20;

/** Which documents a judgement has rested on, besides those it was about: paths below the root. */
export type Lookups = Set<string>;

/** What one caller may do, by the security rules of the database. Everything here throws PERMISSION_DENIED, and says why. */
export class Access {
  /** What is asked, and what it is billed. */
  readonly call: Call;
  readonly #firestore: Firestore;

  constructor(firestore: Firestore, call: Call) {
    this.#firestore = firestore;
    this.call = call;
  }

  get caller(): Caller {
    return this.call.caller;
  }

  /** The same for another thing that is asked on the same stream. */
  during(call: Call): Access {
    return new Access(this.#firestore, call);
  }

  /** Reading documents by name. */
  get(
    { database }: OpenDatabase,
    paths: readonly string[],
    options: { at?: number | undefined; lookups?: Lookups } = {},
  ): void {
    const ruleset = this.#rulesetFor(database);
    if (!ruleset) return;
    let left = paths.length > 1 ? READS_OF_MANY : READS_OF_ONE;
    for (const path of paths) {
      const version = database.get(path, options.at);
      left -= this.#judge(ruleset, {
        method: "get",
        path: segmentsOf(database.name, path),
        resource: version ? resourceOf(database.name, path, version.fields) : null,
        document: documents(database, options),
        readLimit: Math.min(READS_OF_ONE, left),
      });
    }
  }

  /** Running a query: rules are no filters, so what it asks for must prove that each document it could give may be read. */
  list({ database }: OpenDatabase, query: Query, options: { lookups?: Lookups } = {}): void {
    const ruleset = this.#rulesetFor(database);
    if (!ruleset) return;
    const { scope, parent } = query;
    if (isWide(scope)) throw denied("Only servers can query all collections.");
    this.#judge(ruleset, {
      method: "list",
      path: segmentsOf(database.name, scope.kind === "collection" ? scope.id : parent),
      resource: null,
      query: rulesQueryOf(query),
      document: documents(database, options),
      readLimit: READS_OF_ONE,
    });
  }

  /** What judges the writes of a commit when they have been worked out; undefined where none need to be. */
  writes({ database }: OpenDatabase): ((drafts: readonly DocumentDraft[], time: number) => void) | undefined {
    const ruleset = this.#rulesetFor(database);
    if (!ruleset) return undefined;
    return (drafts, time) => {
      const after = new Map(drafts.map((draft) => [draft.path, draft]));
      let left = drafts.length > 1 ? READS_OF_MANY : READS_OF_ONE;
      for (const draft of drafts) {
        left -= this.#judge(ruleset, {
          // What is only verified is as good as read.
          ...(draft.isWritten ? writeRequest(database.name, draft) : readRequest(database.name, draft)),
          time: timestampOf(time),
          document: documents(database, { after }),
          readLimit: Math.min(READS_OF_ONE, left),
        });
      }
    };
  }

  /** What apps can never do, whatever the rules. @param what `Batch writes` */
  requireServer(what: string): void {
    if (this.caller.kind === "server") return;
    throw new StatusError("PERMISSION_DENIED", `${what} require admin authentication.`);
  }

  #rulesetFor({ name }: Database): Ruleset | undefined {
    if (this.caller.kind === "server") return undefined;
    return this.#firestore.rules.of(name);
  }

  /** Returns how many documents were looked up; they are billed, whatever the judgement. */
  #judge(
    ruleset: Ruleset,
    request: Pick<RulesRequest, "method" | "path" | "resource" | "document" | "readLimit"> & Partial<RulesRequest>,
  ): number {
    const auth = this.caller.kind === "app" ? this.caller.auth : null;
    const verdict = ruleset.evaluate({
      service: "cloud.firestore",
      auth: auth && (rulesValueOfJson(auth) as RulesMap),
      time: timestampOf(this.#firestore.clock.now()),
      ...request,
    });
    if (verdict.reads > 0) this.call.lookedUp(verdict.reads);
    if (!verdict.allowed) throw denied(verdict.explanation);
    if (verdict.statement !== undefined) this.call.allowedBy(verdict.statement);
    return verdict.reads;
  }
}

/** Begins with an empty line, as the emulator's denials do. */
function denied(why: string): StatusError {
  return new StatusError("PERMISSION_DENIED", `\n${why}`);
}

function timestampOf(micros: number): RulesTimestamp {
  const millis = Math.floor(micros / 1_000);
  return new RulesTimestamp(Math.floor(millis / 1_000), (millis % 1_000) * 1_000_000);
}

function readRequest(
  database: string,
  { path, before }: DocumentDraft,
): Pick<RulesRequest, "method" | "path" | "resource"> {
  const resource = before ? resourceOf(database, path, before.fields) : null;
  return { method: "get", path: segmentsOf(database, path), resource };
}

function writeRequest(
  database: string,
  { path, before, after, isUpdate }: DocumentDraft,
): Pick<RulesRequest, "method" | "path" | "resource" | "requestResource"> {
  return {
    method: after === null ? "delete" : before || isUpdate ? "update" : "create",
    path: segmentsOf(database, path),
    resource: before ? resourceOf(database, path, before.fields) : null,
    requestResource: after ? resourceOf(database, path, after) : null,
  };
}

/** How rules look documents up: as they are, or as the commit will leave them. */
function documents(
  database: Database,
  options: { at?: number | undefined; after?: ReadonlyMap<string, DocumentDraft>; lookups?: Lookups },
): RulesRequest["document"] {
  const [, , , id] = database.name.split("/");
  return (segments, isAfter) => {
    const [root, named, kind, ...rest] = segments;
    if (root !== "databases" || named !== id || kind !== "documents") return null;
    const path = rest.join("/");
    options.lookups?.add(path);
    const draft = isAfter ? options.after?.get(path) : undefined;
    const fields = draft ? draft.after : database.get(path, options.at)?.fields;
    return fields ? resourceOf(database.name, path, fields) : null;
  };
}

function rulesQueryOf({ scope, limit, offset, orders, disjunctions }: Query): RulesQuery {
  return {
    ...(limit === undefined ? {} : { limit: BigInt(limit) }),
    ...(offset === 0 ? {} : { offset: BigInt(offset) }),
    orderBy: orders.map(({ path, descending }) => ({ field: formatFieldPath(path), descending })),
    disjunctions: disjunctions.map((conjunction) => conjunction.map(constraintOf)),
    ...(scope.kind === "group" ? { collectionGroup: scope.id } : {}),
  };
}

const OPERATORS: Record<Comparison["operator"], Constraint["operator"]> = {
  "==": "==",
  "!=": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  contains: "array-contains",
  "contains-any": "array-contains-any",
  in: "in",
  "not-in": "not-in",
};

function constraintOf({ path, operator, value }: Comparison): Constraint {
  return {
    field: path,
    operator: OPERATORS[operator],
    value: isDocumentName(path) ? nameOf(value) : rulesValueOf(value),
  };
}

function nameOf(value: Value): Constraint["value"] {
  if (isArray(value)) return value.map(nameOf);
  return value instanceof Reference ? new RulesPath(value.name.split("/").slice(2)) : rulesValueOf(value);
}
