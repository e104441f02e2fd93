import { checkDocument, LIMITS } from "../model/limits.ts";
import { documentPath, type FieldPath, parseFieldPath } from "../model/path.ts";
import { type Fields, identical, isMap, Timestamp, type Value } from "../model/value.ts";
import type { FieldTransform, Precondition, Write, WriteResult } from "../wire/messages.ts";
import { invalidArgument, StatusError } from "../wire/status.ts";
import type { Database, Mutation } from "./database.ts";
import type { LiveVersion } from "./document.ts";
import { valueAt } from "./index.ts";
import { applyTransform } from "./transform.ts";

/** A document as the batch sees it while its writes are applied one after the other. */
interface Draft {
  readonly name: string;
  readonly path: string;
  fields: Fields | null;
  readonly stored: LiveVersion | undefined;
  /** Whether anything but a check was asked for. */
  isWritten: boolean;
  /** Whether the document had to be there. */
  isUpdate: boolean;
}

/** A document of a batch before and after it, as security rules judge it. */
export interface DocumentDraft {
  readonly path: string;
  readonly before: LiveVersion | undefined;
  /** Null: it is deleted, or was never there. */
  readonly after: Fields | null;
  readonly isWritten: boolean;
  readonly isUpdate: boolean;
}

/** Judges what a batch would do, by throwing. */
export type Judge = (drafts: readonly DocumentDraft[], time: number) => void;

/** What a batch of writes comes to at a given time: the changes to make and what to answer for each write. */
export interface Outcome {
  readonly mutations: readonly Mutation[];
  /** Documents that were written and stay as they were. */
  readonly unchanged: readonly string[];
  readonly results: readonly WriteResult[];
}

/** The name of the document that a write is about. */
export function documentOf(write: Write): string {
  const name = write.update?.name ?? write.delete ?? write.transform?.document ?? write.verify;
  if (name === undefined) throw invalidArgument("A write must have an operation: update, delete or transform.");
  return name;
}

/**
 * Works out a batch of writes against the database as it is now, later writes seeing earlier ones. Changes nothing: a refused
 * precondition or a document that is too large throws before anything is made.
 * @param time the time of the commit, in microseconds
 * @param judge is asked before anything is said of what there is
 */
export function workOut(database: Database, writes: readonly Write[], time: number, judge?: Judge): Outcome {
  const drafts = new Map<string, Draft>();
  const pending: { draft: Draft; isSilent: boolean; transformResults: Value[] }[] = [];
  let refusal: StatusError | undefined;
  for (const write of writes) {
    const draft = draftOf(drafts, database, documentOf(write));
    refusal ??= refusalOf(write.currentDocument, draft);
    // Whether a document is there is told only to those who may write it.
    if (refusal && !judge) throw refusal;
    const isSilent = write.delete !== undefined || write.verify !== undefined;
    // The first write says whether there was something to update; what it has made itself was not there before.
    if (!draft.isWritten) draft.isUpdate ||= write.currentDocument?.exists === true;
    draft.isWritten ||= write.verify === undefined;
    pending.push({ draft, isSilent, transformResults: applyWrite(write, draft, time) });
  }
  judge?.([...drafts.values()].map(judged), time);
  if (refusal) throw refusal;
  const mutations: Mutation[] = [];
  const same: string[] = [];
  for (const draft of drafts.values()) {
    if (unchanged(draft)) {
      same.push(draft.path);
      continue;
    }
    const bytes = draft.fields ? checkDocument(draft.name, draft.path, draft.fields) : 0;
    mutations.push({ path: draft.path, fields: draft.fields, bytes });
  }
  const results = pending.map(({ draft, isSilent, transformResults }): WriteResult => {
    if (isSilent) return {};
    const updateTime = Timestamp.fromMicros(unchanged(draft) && draft.stored ? draft.stored.updateTime : time);
    return transformResults.length > 0 ? { updateTime, transformResults } : { updateTime };
  });
  return { mutations, unchanged: same, results };
}

function draftOf(drafts: Map<string, Draft>, database: Database, name: string): Draft {
  const path = documentPath(name, database.name);
  const known = drafts.get(path);
  if (known) return known;
  const stored = database.get(path);
  const draft: Draft = { name, path, fields: stored?.fields ?? null, stored, isWritten: false, isUpdate: false };
  drafts.set(path, draft);
  return draft;
}

function judged({ path, stored, fields, isWritten, isUpdate }: Draft): DocumentDraft {
  return { path, before: stored, after: fields, isWritten, isUpdate };
}

function unchanged({ fields, stored }: Draft): boolean {
  const before = stored?.fields ?? null;
  return fields === null || before === null ? fields === before : identical(fields, before);
}

function refusalOf(precondition: Precondition | undefined, draft: Draft): StatusError | undefined {
  if (!precondition) return undefined;
  if (precondition.exists === true && draft.fields === null) {
    // Deleted by the same commit.
    if (draft.isWritten) return invalidArgument(`No document to update: ${draft.name}`);
    return new StatusError("NOT_FOUND", `No document to update: ${draft.name}`);
  }
  if (precondition.exists === false && draft.fields !== null) {
    return new StatusError("ALREADY_EXISTS", `Document already exists: ${draft.name}`);
  }
  if (!precondition.updateTime) return undefined;
  if (draft.fields === null) return new StatusError("FAILED_PRECONDITION", `No document to update: ${draft.name}`);
  const required = precondition.updateTime.toMicros();
  if (draft.stored?.updateTime === required) return undefined;
  return new StatusError(
    "FAILED_PRECONDITION",
    `The stored version (${draft.stored?.updateTime ?? 0}) does not match the required base version (${required}).`,
  );
}

/** Applies one write to its draft and returns the results of its transforms. */
function applyWrite(write: Write, draft: Draft, time: number): Value[] {
  if (write.delete !== undefined) {
    draft.fields = null;
    return [];
  }
  const transforms = write.transform ? (write.transform.fieldTransforms ?? []) : (write.updateTransforms ?? []);
  if (write.update) {
    draft.fields = write.updateMask
      ? merge(draft.fields, write.update.fields, write.updateMask.fieldPaths ?? [])
      : write.update.fields;
  }
  return transformFields(draft, transforms, time);
}

function merge(stored: Fields | null, update: Fields, mask: readonly string[]): Fields {
  // What lies above goes first, so that paths may overlap, as apps send them.
  const paths = mask.map(parseFieldPath).sort((a, b) => a.length - b.length);
  let merged: Fields = stored ?? new Map();
  for (const path of paths) {
    const value = valueAt(update, path);
    merged = value === undefined ? without(merged, path) : withValue(merged, path, value);
  }
  return merged;
}

function transformFields(draft: Draft, transforms: readonly FieldTransform[], time: number): Value[] {
  if (transforms.length > LIMITS.transformsPerDocument) {
    throw invalidArgument(`A write can hold at most ${LIMITS.transformsPerDocument} field transforms.`);
  }
  const requestTime = Timestamp.fromMicros(time - (time % 1000));
  const results: Value[] = [];
  for (const transform of transforms) {
    const path = parseFieldPath(transform.fieldPath);
    const fields: Fields = draft.fields ?? new Map();
    const { value, result } = applyTransform(transform, valueAt(fields, path), requestTime);
    draft.fields = withValue(fields, path, value);
    results.push(result);
  }
  return results;
}

/** A copy with a value at a path; whatever is no map on the way there becomes one. */
function withValue(fields: Fields, path: FieldPath, value: Value): Fields {
  const copy = new Map(fields);
  const [first, ...rest] = path as [string, ...string[]];
  const nested = copy.get(first);
  copy.set(first, rest.length === 0 ? value : withValue(isMap(nested) ? nested : new Map(), rest, value));
  return copy;
}

function without(fields: Fields, path: FieldPath): Fields {
  const [first, ...rest] = path as [string, ...string[]];
  const nested = fields.get(first);
  if (nested === undefined || (rest.length > 0 && !isMap(nested))) return fields;
  const copy = new Map(fields);
  if (rest.length === 0) copy.delete(first);
  else copy.set(first, without(nested as Fields, rest));
  return copy;
}
