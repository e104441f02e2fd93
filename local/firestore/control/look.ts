import * as z from "zod";
import { RequestFilter } from "../../inspect/requests.ts";
import { Access } from "../access/access.ts";
import type { Firestore } from "../firestore.ts";
import { lastSegment } from "../model/path.ts";
import { Call as Asked } from "../record/call.ts";
import { listCollectionIds, listDocuments } from "../rpc/read.ts";
import { toWire } from "../rpc/view.ts";
import { toJson } from "../wire/json.ts";
import { type Method, methods } from "../wire/protocol.ts";
import type { Answer, Call, Control } from "./control.ts";

/** What people look at: requests and what they cost, and documents. Looking is not billed, and not written down. */

const PAGE = 25;

/** The requests of late, oldest first; `denied`, `path`, `user`, `after` and `limit` say which. */
export function listRequests({ firestore }: Control, { query }: Call): Answer {
  const filter = RequestFilter.parse(Object.fromEntries(query));
  return { status: 200, body: { requests: firestore.requests.list(filter) } };
}

/** What was billed since the start, in all and by kinds of paths. */
export function readBills({ firestore }: Control): Answer {
  return { status: 200, body: { total: firestore.usage.total, paths: firestore.requests.bills } };
}

export function listDatabases({ firestore }: Control): Answer {
  return { status: 200, body: { databases: firestore.names() } };
}

const Wanted = z.object({ path: z.string().default(""), pageToken: z.string().default("") });

interface Place {
  /** Of the database: `projects/p/databases/d` */
  readonly name: string;
  readonly path: string;
}

/** A collection, page by page, missing documents that have others below them included. Or a document, or the root, and the collections there. */
export async function browse({ firestore }: Control, { project, parts: [id], query }: Call): Promise<Answer> {
  const wanted = Wanted.parse(Object.fromEntries(query));
  const segments = wanted.path.split("/").filter(Boolean);
  const place = { name: `projects/${project}/databases/${id}`, path: segments.join("/") };
  const at = segments.length % 2 === 1 ? collectionAt : documentAt;
  return { status: 200, body: await at(firestore, place, wanted.pageToken) };
}

async function collectionAt(firestore: Firestore, { name, path }: Place, pageToken: string): Promise<object> {
  const collectionId = lastSegment(path);
  const parent = parentOf(name, path.slice(0, -collectionId.length - 1));
  const request = { parent, collectionId, pageSize: PAGE, pageToken, showMissing: true };
  return json("ListDocuments", await listDocuments(firestore, request, looking(firestore)));
}

/** Of the root, or of what is missing, only the collections. */
async function documentAt(firestore: Firestore, { name, path }: Place, pageToken: string): Promise<object> {
  const request = { parent: parentOf(name, path), pageSize: PAGE, pageToken };
  const collections = json("ListCollectionIds", await listCollectionIds(firestore, request, looking(firestore)));
  const version = path === "" ? undefined : firestore.open(name).database.get(path);
  return version ? { document: json("GetDocument", toWire(name, { path, version })), ...collections } : collections;
}

function parentOf(name: string, path: string): string {
  return path === "" ? `${name}/documents` : `${name}/documents/${path}`;
}

function looking(firestore: Firestore): Access {
  const call = new Asked(undefined, { caller: { kind: "server" }, via: "REST", method: "", request: {} });
  return new Access(firestore, call);
}

/** An answer as REST gives it. */
function json(method: string, answer: object): object {
  const { response } = methods.get(method) as Method;
  return toJson(response, answer) as object;
}
