import type { StructuredQuery, Write } from "../wire/messages.ts";
import { queryInWords } from "./words.ts";

/** What requests are about. All of this takes requests that are malformed, too. */

export interface Subject {
  /** `projects/p/databases/d` */
  readonly database: string;
  /** A document's path, or a query in short words. */
  readonly words: string;
  /** What the bill is put down to. */
  readonly parts: readonly Part[];
}

/** Documents of one kind of path: ids are left out, `users/{}/items`. */
interface Part {
  readonly path: string;
  readonly bill: "read" | "write" | "delete";
}

/** The members of all requests that say what a request is about. */
interface Asked {
  readonly name?: string;
  readonly parent?: string;
  readonly database?: string;
  readonly collectionId?: string;
  readonly documents?: readonly string[] | { readonly documents?: readonly string[] };
  readonly document?: { readonly name?: string };
  readonly writes?: readonly Write[];
  readonly structuredQuery?: StructuredQuery;
  readonly structuredAggregationQuery?: { readonly structuredQuery?: StructuredQuery };
  readonly query?: { readonly parent: string; readonly structuredQuery?: StructuredQuery };
}

const DOCUMENTS = "/documents";
const NOTHING: readonly Part[] = [];
/** What collections there are in all. */
const NAMES = "(collections)";

/** @param request a request of any method, or a target of a listener */
export function subjectOf(request: object, method: string): Subject {
  const asked: Asked = request;
  if (asked.name !== undefined) return aboutOne(asked.name, method === "DeleteDocument" ? "delete" : "read");
  if (asked.writes) return aboutWrites(asked.database ?? "", asked.writes);
  if (asked.documents) return aboutMany("length" in asked.documents ? asked.documents : asked.documents.documents);
  if (asked.document?.name) return aboutOne(asked.document.name, "write");
  const { parent, structuredQuery } = asked.query ?? asked;
  if (parent === undefined) return { database: asked.database ?? "", words: "", parts: NOTHING };
  const query = structuredQuery ?? asked.structuredAggregationQuery?.structuredQuery;
  return query ? aboutQuery(parent, query) : aboutCollection(parent, asked.collectionId, method);
}

/** The kind of a path: `users/ada/items/1` is of `users/{}/items`. Documents and their collections are of one kind. */
function kindOf(path: string): string {
  const segments = path.split("/");
  let kind = segments[0] ?? "";
  for (let i = 2; i < segments.length; i += 2) kind += `/{}/${segments[i]}`;
  return kind;
}

function aboutOne(name: string, bill: Part["bill"]): Subject {
  const { database, path } = split(name);
  return { database, words: path, parts: [{ path: kindOf(path), bill }] };
}

function aboutMany(names: readonly string[] = []): Subject {
  const parts = names.map((name): Part => ({ path: kindOf(split(name).path), bill: "read" }));
  return { ...listed(names), parts };
}

function aboutWrites(database: string, writes: readonly Write[]): Subject {
  const names = writes.map((write) => write.update?.name ?? write.delete ?? write.verify ?? write.transform?.document);
  const parts = writes.map(
    (write, i): Part => ({
      path: kindOf(split(names[i] ?? "").path),
      bill: write.delete === undefined ? "write" : "delete",
    }),
  );
  return { ...listed(names.map((name) => name ?? "")), database, parts };
}

function aboutQuery(parent: string, query: StructuredQuery): Subject {
  const { database, path } = split(parent);
  const { collectionId = "", allDescendants = false } = query.from?.[0] ?? {};
  const kind = allDescendants ? `{}/${collectionId}` : kindOf(path === "" ? collectionId : `${path}/${collectionId}`);
  return { database, words: queryInWords(path, query), parts: [{ path: kind, bill: "read" }] };
}

function aboutCollection(parent: string, id: string | undefined, method: string): Subject {
  const { database, path } = split(parent);
  const words = [path, id].filter(Boolean).join("/");
  return {
    database,
    words,
    parts: [{ path: kindOf(words) || NAMES, bill: method === "CreateDocument" ? "write" : "read" }],
  };
}

function listed(names: readonly string[]): Pick<Subject, "database" | "words"> {
  const { database, path } = split(names[0] ?? "");
  return { database, words: names.length > 1 ? `${path} and ${names.length - 1} more` : path };
}

function split(name: string): { readonly database: string; readonly path: string } {
  const at = name.indexOf(DOCUMENTS);
  if (at < 0) return { database: name, path: "" };
  return { database: name.slice(0, at), path: name.slice(at + DOCUMENTS.length + 1) };
}
