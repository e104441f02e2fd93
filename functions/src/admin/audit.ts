import type * as z from "zod";
import { deeds } from "../platform/audit.ts";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { isDocumentId } from "../platform/ids.ts";
import type { AuditPage, AuditRequest } from "./contract.ts";

/** A page of what operators have done, newest first. One read for each. */
export async function listDeeds(
  _caller: Caller,
  { subject, by, limit, cursor }: z.output<typeof AuditRequest>,
): Promise<AuditPage> {
  const page = await deeds({ subject, by }, { limit, cursor: cursor === undefined ? undefined : readCursor(cursor) });
  const last = page.at(-1);
  return {
    deeds: page.map(({ id, record: { at, ...record } }) => ({ id, ...record, at: at.toMillis() })),
    ...(last && page.length === limit ? { nextCursor: `${last.record.at.toMillis()}.${last.id}` } : {}),
  };
}

function readCursor(cursor: string): { at: number; id: string } {
  const [, at, id = ""] = /^(\d{1,15})\.([\w-]{1,100})$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return { at: Number(at), id };
}
