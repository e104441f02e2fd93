import { randomUUID } from "node:crypto";
import * as z from "zod";
import { Deliveries } from "../../deliveries.ts";
import { RequestError } from "../model/failure.ts";
import type { Node } from "../model/node.ts";
import { formatPath, type Path, splitPath } from "../model/path.ts";
import type { Caller } from "../security.ts";
import type { Commit } from "../store/commit.ts";

/**
 * Functions that run on changes of data: the registrations that firebase-tools sends, and the events in the form that
 * firebase-functions decodes.
 */

const MAX_TRIGGERS = 10_000;
/** A write to a place above a trigger's is an event for each child that fits; so many of them at most. */
const MAX_EVENTS_PER_COMMIT = 10_000;

type Kind = "created" | "updated" | "deleted" | "written";

interface Trigger {
  /** `projects/{project}/locations/{location}/{functions|triggers}/{key}` */
  readonly name: string;
  readonly url: string;
  /** Segments; those in braces match any key. */
  readonly pattern: readonly string[];
  readonly kind: Kind;
  /** The first generation takes another form of event, and belongs to one database. */
  readonly generation: 1 | 2;
  readonly namespace: RegExp;
}

/** What `POST /.settings/functionTriggers.json` carries. */
const Registration = z.looseObject({
  name: z.string().regex(/^projects\/[^/]+\/locations\/[^/]+\/(functions|triggers)\/[^/]+$/),
  path: z.string(),
  event: z.string().regex(/ref[./](v1\.)?(write|written|create|created|update|updated|delete|deleted)$/),
  namespacePattern: z.string().optional(),
});
type Registration = z.infer<typeof Registration>;

const KINDS: Readonly<Record<string, Kind>> = {
  write: "written",
  written: "written",
  create: "created",
  created: "created",
  update: "updated",
  updated: "updated",
  delete: "deleted",
  deleted: "deleted",
};
const FIRST_GENERATION_KINDS: Readonly<Record<Kind, string>> = {
  written: "write",
  created: "create",
  updated: "update",
  deleted: "delete",
};

interface Happening {
  readonly path: Path;
  readonly before: Node;
  readonly after: Node;
}

interface Where {
  readonly namespace: string;
  readonly caller: Caller;
  readonly time: number;
}

export class Triggers {
  readonly #deliveries: Deliveries;
  readonly #report: (message: string) => void;
  readonly #triggers = new Map<string, { readonly trigger: Trigger; readonly registration: Registration }>();

  /** @param functionsHost `host:port` of the functions emulator; without it nothing is delivered */
  constructor(functionsHost: string | undefined, report: (message: string) => void) {
    this.#report = report;
    this.#deliveries = new Deliveries({ host: functionsHost, attempts: 1, report });
  }

  /** Registers a function for a database, or registers it anew. Throws on a malformed registration. */
  register(namespace: string, body: unknown): void {
    const registration = Registration.parse(body);
    const { name, path, event, namespacePattern } = registration;
    const [, project, , , , key] = name.split("/");
    if (this.#triggers.size >= MAX_TRIGGERS && !this.#triggers.has(name)) {
      throw new RequestError("too_many_triggers", `More than ${MAX_TRIGGERS} functions`, 429);
    }
    this.#triggers.set(name, {
      registration,
      trigger: {
        name,
        url: `/functions/projects/${project}/triggers/${key}`,
        pattern: splitPath(path),
        kind: KINDS[event.split(/[./]/).at(-1) ?? ""] as Kind,
        generation: namespacePattern === undefined ? 1 : 2,
        namespace: namesMatching(namespacePattern ?? namespace),
      },
    });
  }

  /** Forgets the functions of a database and registers others. */
  replace(namespace: string, body: unknown): void {
    const { triggers } = z.object({ triggers: z.array(z.unknown()) }).parse(body);
    for (const [name, { trigger }] of this.#triggers) {
      if (trigger.namespace.test(namespace)) this.#triggers.delete(name);
    }
    for (const trigger of triggers) this.register(namespace, trigger);
  }

  /** The registrations that apply to a database, as they were sent. */
  of(namespace: string): readonly Registration[] {
    return [...this.#triggers.values()]
      .filter(({ trigger }) => trigger.namespace.test(namespace))
      .map(({ registration }) => registration);
  }

  /** Queues the events of a commit for the functions that want them. */
  onCommit(namespace: string, commit: Commit): void {
    if (!this.#deliveries.enabled) return;
    for (const { trigger } of this.#triggers.values()) {
      if (!trigger.namespace.test(namespace)) continue;
      const happenings = happeningsAt(trigger.pattern, commit).filter((happening) => wants(trigger.kind, happening));
      if (happenings.length > MAX_EVENTS_PER_COMMIT) {
        this.#report(`${happenings.length - MAX_EVENTS_PER_COMMIT} event(s) for ${trigger.name} dropped`);
      }
      for (const happening of happenings.slice(0, MAX_EVENTS_PER_COMMIT)) {
        this.#deliveries.enqueue({
          ...eventOf(trigger, happening, { namespace, caller: commit.caller, time: commit.time }),
          url: trigger.url,
          onGone: () => this.#triggers.delete(trigger.name),
        });
      }
    }
  }

  close(): void {
    this.#deliveries.close();
  }
}

/** `*` and `{any}` match any name, `a-*` those that start so. */
function namesMatching(pattern: string): RegExp {
  const source = pattern.split(/\*|\{[^}]*\}/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`);
}

function wants(kind: Kind, { before, after }: Happening): boolean {
  if (kind === "written") return true;
  if (before.isEmpty) return kind === "created";
  return kind === (after.isEmpty ? "deleted" : "updated");
}

/** The places that fit a pattern and are no longer what they were. */
function happeningsAt(pattern: readonly string[], commit: Commit): Happening[] {
  const places = new Map<string, Happening>();
  for (const { path } of commit.changes) {
    const known = path.slice(0, pattern.length);
    if (!known.every((key, i) => fits(pattern[i] as string, key))) continue;
    for (const happening of expand(pattern, known, commit.before.at(known), commit.after.at(known))) {
      places.set(formatPath(happening.path), happening);
    }
  }
  return [...places.values()];
}

function fits(segment: string, key: string): boolean {
  return segment === "*" || (segment.startsWith("{") && segment.endsWith("}")) || segment === key;
}

/** Goes down from a place to all that fit the rest of the pattern; no deeper than the pattern is long. */
function* expand(pattern: readonly string[], path: Path, before: Node, after: Node): Generator<Happening> {
  if (before === after || before.equals(after)) return;
  const segment = pattern[path.length];
  if (segment === undefined) {
    yield { path, before, after };
    return;
  }
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (fits(segment, key)) yield* expand(pattern, [...path, key], before.child(key), after.child(key));
  }
}

/** What turns one state into the other: what came or changed, and null for what is gone. */
export function deltaText(before: Node, after: Node): string {
  if (before.leaf !== undefined || after.leaf !== undefined) return plainText(after);
  const entries: string[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.child(key), after.child(key)];
    if (!from.equals(to)) entries.push(`${JSON.stringify(key)}:${deltaText(from, to)}`);
  }
  return `{${entries.join(",")}}`;
}

/** As objects throughout: an array has no place for what a delta leaves out. */
function plainText(node: Node): string {
  if (node.leaf !== undefined) return JSON.stringify(node.leaf);
  return `{${[...node.entries()].map(([key, child]) => `${JSON.stringify(key)}:${plainText(child)}`).join(",")}}`;
}

function eventOf(trigger: Trigger, happening: Happening, where: Where): { contentType: string; body: string } {
  return trigger.generation === 1
    ? { contentType: "application/json", body: firstGeneration(trigger, happening, where) }
    : { contentType: "application/cloudevents+json; charset=utf-8", body: cloudEvent(trigger, happening, where) };
}

function cloudEvent({ kind }: Trigger, { path, before, after }: Happening, where: Where): string {
  const { namespace, caller, time } = where;
  const attributes = JSON.stringify({
    specversion: "1.0",
    id: randomUUID(),
    type: `google.firebase.database.ref.v1.${kind}`,
    source: `//firebasedatabase.googleapis.com/projects/_/locations/us-central1/instances/${namespace}`,
    subject: `refs/${path.join("/")}`,
    time: new Date(time).toISOString(),
    datacontenttype: "application/json",
    location: "us-central1",
    instance: namespace,
    ref: path.join("/"),
    firebasedatabasehost: "firebaseio.com",
    authtype: caller.admin ? "admin" : caller.auth ? "app_user" : "unauthenticated",
    authid: caller.auth?.uid ?? "",
  });
  const type = '"@type":"type.googleapis.com/google.events.firebase.database.v1.ReferenceEventData"';
  const data = `"data":${plainText(before)},"delta":${deltaText(before, after)}`;
  return `${attributes.slice(0, -1)},"data":{${type},${data}}}`;
}

function firstGeneration({ kind }: Trigger, { path, before, after }: Happening, where: Where): string {
  const { namespace, caller, time } = where;
  const context = JSON.stringify({
    eventId: randomUUID(),
    timestamp: new Date(time).toISOString(),
    eventType: `providers/google.firebase.database/eventTypes/ref.${FIRST_GENERATION_KINDS[kind]}`,
    resource: `projects/_/instances/${namespace}/refs/${path.join("/")}`,
    auth: { admin: caller.admin, ...(caller.auth ? { variable: caller.auth } : {}) },
  });
  return `{"data":{"data":${plainText(before)},"delta":${deltaText(before, after)}},"context":${context}}`;
}
