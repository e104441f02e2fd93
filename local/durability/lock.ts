import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DataError } from "./failure.ts";

const MAX_TRIES = 10;

/** Directories that this process has locked. */
const held = new Set<string>();

/**
 * Locks a directory for this process by a file in it, which names the process; a lock whose process is gone does not count. Throws a
 * {@link DataError} if another has it. Returns the way to let go.
 */
export function lock(directory: string): () => void {
  const path = join(resolve(directory), "lock");
  if (held.has(path)) throw taken(directory, process.pid);
  const own = `${path}.${randomUUID()}`;
  writeFileSync(own, processOf(process.pid));
  try {
    claim(directory, own, path);
  } finally {
    rmSync(own, { force: true });
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

/** A link is made or not made, so of several that try at once one succeeds. */
function claim(directory: string, own: string, path: string): void {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (linked(own, path)) return;
    const holder = contentOf(path);
    const [pid] = /^\d+/.exec(holder ?? "") ?? [];
    if (holder !== undefined && pid !== undefined && isRunning(Number(pid), holder)) {
      throw taken(directory, Number(pid));
    }
    if (holder !== undefined) clearAway(path, holder, `${own}.old`);
  }
  throw new DataError(`${directory} cannot be locked: others try to at the same time.`);
}

/** Removes the lock of a process that is gone, unless somebody else has done so and locked it meanwhile. */
function clearAway(path: string, holder: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (contentOf(aside) !== holder) linked(aside, path);
  rmSync(aside, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isRunning(pid: number, holder: string): boolean {
  // A number is given again, in a container soon: what has ours is the lock of somebody before us.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return processOf(pid) === holder;
}

/**
 * A process by its number and, where that can be known, by when it began: one that has ended and that its parent has not noticed yet (Z)
 * is none. Source: proc(5), fields 3 and 22 of /proc/pid/stat
 */
function processOf(pid: number): string {
  const boot = contentOf("/proc/sys/kernel/random/boot_id")?.trim();
  const stat = contentOf(`/proc/${pid}/stat`);
  if (!boot || !stat) return String(pid);
  const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? "" : `${pid} ${boot} ${rest[18]}`;
}

function taken(directory: string, pid: number): DataError {
  return new DataError(`${directory} is in use by process ${pid}.`);
}
