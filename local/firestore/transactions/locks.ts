import { StatusError } from "../wire/status.ts";

/**
 * Locks with waiting, first come first served, and deadlocks broken.
 *
 * Reads of a read-write transaction take shared locks, a commit takes exclusive ones on what it writes, and all are kept until their
 * owner ends: strict two-phase locking, so whatever commits is serialisable. Where owners wait for each other in a circle, the
 * youngest of them is the loser. Source: https://firebase.google.com/docs/firestore/transaction-data-contention
 */
export type Mode = "shared" | "exclusive";

/** What a lock is on: a document's path, or `?` and a query's scope. */
export type Resource = string;

/** Whoever can hold locks. The smaller its age number, the longer it has been trying. */
export interface Owner {
  readonly age: number;
  /** Called when another owner won a deadlock; the owner's locks are gone when it returns. */
  lose(resource: Resource): void;
}

/** A test for conflicts that locks on single resources cannot express: the owners that a commit must wait for. */
export type Conflicts = () => Iterable<Owner>;

interface Lock {
  mode: Mode;
  readonly holders: Set<Owner>;
  readonly queue: Waiter[];
}

interface Waiter {
  readonly owner: Owner;
  readonly resource: Resource;
  readonly mode: Mode;
  readonly conflicts: Conflicts | undefined;
  blockers: Set<Owner>;
  resolve(): void;
  reject(error: Error): void;
}

export interface LockOptions {
  /** How long a request waits before it is refused, in milliseconds. */
  readonly waitMillis: number;
  /** How many requests may wait at the same time. */
  readonly maxWaiting: number;
}

const DEFAULTS: LockOptions = { waitMillis: 30_000, maxWaiting: 10_000 };

export class Locks {
  readonly #options: LockOptions;
  readonly #locks = new Map<Resource, Lock>();
  readonly #held = new Map<Owner, Set<Resource>>();
  /** Waiting requests in the order they came, and the same by owner. */
  readonly #waiting = new Set<Waiter>();
  readonly #waitingOf = new Map<Owner, Set<Waiter>>();

  constructor(options: Partial<LockOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Whether nobody holds or waits for anything. */
  get idle(): boolean {
    return this.#locks.size === 0 && this.#waiting.size === 0;
  }

  /** Takes a lock, waiting for those in the way; throws ABORTED for the loser of a deadlock and past the time limit. */
  async acquire(owner: Owner, resource: Resource, mode: Mode): Promise<void> {
    const blockers = this.#blockers(owner, resource, mode, undefined);
    if (blockers.size === 0) this.#grant(owner, resource, mode);
    else await this.#wait(owner, resource, mode, undefined, blockers);
  }

  /** Waits until `conflicts` names nobody any more. */
  async settle(owner: Owner, resource: Resource, conflicts: Conflicts): Promise<void> {
    const blockers = this.#others(owner, conflicts());
    if (blockers.size > 0) await this.#wait(owner, resource, "shared", conflicts, blockers);
  }

  /** Those who hold a resource that `concerns` accepts in exclusive mode. */
  exclusiveHolders(concerns: (resource: Resource) => boolean): Set<Owner> {
    const holders = new Set<Owner>();
    for (const [resource, lock] of this.#locks) {
      if (lock.mode !== "exclusive" || !concerns(resource)) continue;
      for (const holder of lock.holders) holders.add(holder);
    }
    return holders;
  }

  /** Gives back everything an owner holds, refuses what it still waits for, and lets those go on who waited for it. */
  release(owner: Owner): void {
    for (const waiter of [...(this.#waitingOf.get(owner) ?? [])]) {
      this.#leave(waiter);
      waiter.reject(contention());
    }
    for (const resource of this.#held.get(owner) ?? []) {
      const lock = this.#locks.get(resource) as Lock;
      lock.holders.delete(owner);
      if (lock.holders.size === 0 && lock.queue.length === 0) this.#locks.delete(resource);
    }
    this.#held.delete(owner);
    this.#wake(owner);
  }

  #grant(owner: Owner, resource: Resource, mode: Mode): void {
    const lock = this.#lock(resource);
    lock.mode = lock.holders.size === 0 || mode === "exclusive" ? mode : lock.mode;
    lock.holders.add(owner);
    const held = this.#held.get(owner);
    if (held) held.add(resource);
    else this.#held.set(owner, new Set([resource]));
  }

  #lock(resource: Resource): Lock {
    const known = this.#locks.get(resource);
    if (known) return known;
    const lock: Lock = { mode: "shared", holders: new Set(), queue: [] };
    this.#locks.set(resource, lock);
    return lock;
  }

  /** Who keeps a request from being granted: holders in a mode that does not go with it, and those who asked before. */
  #blockers(owner: Owner, resource: Resource, mode: Mode, waiter: Waiter | undefined): Set<Owner> {
    const lock = this.#locks.get(resource);
    if (!lock) return new Set();
    const holdsIt = lock.holders.has(owner);
    if (holdsIt && (mode === "shared" || lock.mode === "exclusive")) return new Set();
    const holders = mode === "exclusive" || lock.mode === "exclusive" ? lock.holders : [];
    // Whoever holds a shared lock and wants more goes ahead of the queue: those in it cannot get past the lock anyway.
    const ahead = holdsIt ? [] : lock.queue.slice(0, waiter ? lock.queue.indexOf(waiter) : undefined);
    const earlier = ahead
      .filter((other) => mode === "exclusive" || other.mode === "exclusive")
      .map((other) => other.owner);
    return this.#others(owner, [...holders, ...earlier]);
  }

  #others(owner: Owner, owners: Iterable<Owner>): Set<Owner> {
    const others = new Set(owners);
    others.delete(owner);
    return others;
  }

  #wait(
    owner: Owner,
    resource: Resource,
    mode: Mode,
    conflicts: Conflicts | undefined,
    blockers: Set<Owner>,
  ): Promise<void> {
    if (this.#waiting.size >= this.#options.maxWaiting) throw contention();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#refuse(waiter), this.#options.waitMillis);
      const waiter: Waiter = {
        owner,
        resource,
        mode,
        conflicts,
        blockers,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      const ofOwner = this.#waitingOf.get(owner);
      if (ofOwner) ofOwner.add(waiter);
      else this.#waitingOf.set(owner, new Set([waiter]));
      if (!conflicts) this.#lock(resource).queue.push(waiter);
      this.#breakDeadlock(waiter);
    });
  }

  #leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    const ofOwner = this.#waitingOf.get(waiter.owner);
    ofOwner?.delete(waiter);
    if (ofOwner?.size === 0) this.#waitingOf.delete(waiter.owner);
    const lock = this.#locks.get(waiter.resource);
    if (!lock || waiter.conflicts) return;
    lock.queue.splice(lock.queue.indexOf(waiter), 1);
    if (lock.holders.size === 0 && lock.queue.length === 0) this.#locks.delete(waiter.resource);
  }

  #refuse(waiter: Waiter): void {
    this.#leave(waiter);
    waiter.owner.lose(waiter.resource);
    waiter.reject(contention());
    this.#wake(waiter.owner);
  }

  /** Looks again at every request that `gone` stood in the way of, in the order they came. */
  #wake(gone: Owner): void {
    for (const waiter of [...this.#waiting]) {
      if (!waiter.blockers.has(gone) || !this.#waiting.has(waiter)) continue;
      const known = waiter.blockers;
      waiter.blockers = waiter.conflicts
        ? this.#others(waiter.owner, waiter.conflicts())
        : this.#blockers(waiter.owner, waiter.resource, waiter.mode, waiter);
      if (waiter.blockers.size > 0) {
        if (!waiter.blockers.isSubsetOf(known)) this.#breakDeadlock(waiter);
        continue;
      }
      this.#leave(waiter);
      if (!waiter.conflicts) this.#grant(waiter.owner, waiter.resource, waiter.mode);
      waiter.resolve();
    }
  }

  /** If this request closes a circle, its youngest member loses; repeated until no circle is left. */
  #breakDeadlock(waiter: Waiter): void {
    while (this.#waiting.has(waiter)) {
      const circle = this.#circle(waiter);
      if (!circle) return;
      const victim = circle.reduce((a, b) => (a.owner.age >= b.owner.age ? a : b));
      this.#refuse(victim);
    }
  }

  /** The requests that wait for each other in a circle that `start` is part of, if it is. */
  #circle(start: Waiter): Waiter[] | undefined {
    const visited = new Set<Owner>();
    const search = (waiter: Waiter): Waiter[] | undefined => {
      if (waiter.blockers.has(start.owner)) return [waiter];
      for (const next of this.#unvisited(waiter, visited)) {
        const found = search(next);
        if (found) return [waiter, ...found];
      }
      return undefined;
    };
    return search(start);
  }

  /** The requests of those that a request waits for, each owner once. */
  *#unvisited({ blockers }: Waiter, visited: Set<Owner>): Generator<Waiter> {
    for (const blocker of blockers) {
      if (visited.has(blocker)) continue;
      visited.add(blocker);
      yield* this.#waitingOf.get(blocker) ?? [];
    }
  }
}

/** What the loser of a conflict is told; clients retry on it. */
export function contention(): StatusError {
  return new StatusError("ABORTED", "Too much contention on these documents. Please try again.");
}
