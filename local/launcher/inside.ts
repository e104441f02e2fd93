import { createRequire } from "node:module";

/** The inside of firebase-tools: its version is pinned exactly, and what is not as it was when this was written throws. */

export const require = createRequire(import.meta.url);

/** A function or class that a module of firebase-tools exports. */
export function exportOf(path: string, name: string): unknown {
  const module = require(`firebase-tools/lib/${path}`) as Record<string, unknown>;
  if (typeof module[name] !== "function") throw changed(`exports ${name} from ${path}`);
  return module[name];
}

/** Puts something in the place of an export, for all who ask the module for it by name. */
export function replaceExport(path: string, name: string, replacement: unknown): void {
  exportOf(path, name);
  (require(`firebase-tools/lib/${path}`) as Record<string, unknown>)[name] = replacement;
}

/** @param what firebase-tools did, as in `runs it with Java` */
export function changed(what: string): Error {
  return new Error(`firebase-tools no longer ${what}: look at the launcher again.`);
}

export function warn(message: string): void {
  console.error(`firebase-local: ${message}`);
}
