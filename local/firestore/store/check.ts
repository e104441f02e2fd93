import { checkFields } from "../model/limits.ts";
import { documentPath, parseFieldPath } from "../model/path.ts";
import type { Write } from "../wire/messages.ts";
import { invalidArgument } from "../wire/status.ts";
import { documentOf } from "./batch.ts";

/**
 * Refuses verifications that are none: without a condition, with something to write, or of a document that the same commit writes or
 * verifies as well. As Google's emulator does.
 */
export function checkVerifications(writes: readonly Write[]): void {
  const verified = writes.filter((write) => write.verify !== undefined);
  if (verified.length === 0) return;
  for (const write of verified) checkVerification(write);
  const names = new Set(verified.map(documentOf));
  if (names.size < verified.length) throw invalidArgument("A commit cannot verify the same document more than once.");
  const isBoth = writes.some((write) => write.verify === undefined && names.has(documentOf(write)));
  if (isBoth) throw invalidArgument("A commit cannot both verify and write the same document.");
}

/**
 * Refuses a write that could not be made whatever is stored: without an operation, of no document of the database, with a mask that is none,
 * or with fields that no document may have.
 */
export function checkWrite(write: Write, database: string): void {
  documentPath(documentOf(write), database);
  for (const path of write.updateMask?.fieldPaths ?? []) parseFieldPath(path);
  checkVerifications([write]);
  if (write.update) checkFields(write.update.fields);
}

function checkVerification({ currentDocument, updateMask, updateTransforms = [] }: Write): void {
  if (currentDocument?.exists === undefined && !currentDocument?.updateTime) {
    throw invalidArgument("A verification must have a precondition.");
  }
  if (updateMask) throw invalidArgument("A verification cannot have a document mask.");
  if (updateTransforms.length > 0) throw invalidArgument("A verification cannot have transforms.");
}
