import { randomUUID } from "node:crypto";
import * as z from "zod";
import { Deliveries } from "../../deliveries.ts";
import { formatFieldPath } from "../model/path.ts";
import { type Fields, identical, isMap, Timestamp } from "../model/value.ts";
import type { Change, Commit } from "../store/database.ts";
import type { LiveVersion } from "../store/document.ts";
import { writeTimestamp, writeValue } from "../wire/json.ts";

/**
 * Functions that run on document changes: the registrations that firebase-tools sends, and the delivery of events to the
 * functions emulator as CloudEvents in the form that firebase-functions decodes.
 */

const DELIVERY_ATTEMPTS = 5;

type Kind = "created" | "updated" | "deleted" | "written";

interface Trigger {
  readonly key: string;
  readonly project: string;
  readonly database: string;
  readonly pattern: RegExp;
  readonly kind: Kind;
  readonly type: string;
}

const EVENT_TYPE = /^google\.cloud\.firestore\.document\.v1\.(created|updated|deleted|written)(\.withAuthContext)?$/;

/** What `POST /emulator/v1/projects/{project}/eventarcTrigger` carries. */
const Eventarc = z.object({
  eventType: z.string().regex(EVENT_TYPE),
  database: z.string().default("(default)"),
  document: z.object({ value: z.string(), matchType: z.enum(["PATH_PATTERN", "EXACT"]).default("PATH_PATTERN") }),
});

/** What `PUT /emulator/v1/projects/{project}/triggers/{key}` carries: the first generation of functions. */
const FirstGeneration = z.object({
  eventTrigger: z.object({
    resource: z.string().regex(/^projects\/[^/]+\/databases\/[^/]+\/documents\/.+$/),
    eventType: z.string().regex(/^providers\/cloud\.firestore\/eventTypes\/document\.(create|update|delete|write)$/),
  }),
});

const FIRST_GENERATION_KINDS: Record<string, Kind> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  write: "written",
};

export class Triggers {
  readonly #deliveries: Deliveries;
  readonly #triggers = new Map<string, Trigger>();

  /** @param functionsHost `host:port` of the functions emulator; without it nothing is delivered */
  constructor(functionsHost: string | undefined, report: (message: string) => void) {
    this.#deliveries = new Deliveries({ host: functionsHost, attempts: DELIVERY_ATTEMPTS, report });
  }

  /** Registers a function of the second generation, or registers it anew. */
  registerEventarc(project: string, key: string, body: unknown): unknown {
    const { eventType, database, document } = Eventarc.parse(body);
    const [, kind] = EVENT_TYPE.exec(eventType) as unknown as [string, Kind];
    const pattern = document.matchType === "EXACT" ? exactly(document.value) : matching(document.value);
    this.#triggers.set(key, { key, project, database, pattern, kind, type: eventType });
    return body;
  }

  /** Registers a function of the first generation. */
  registerFirstGeneration(project: string, key: string, body: unknown): unknown {
    const { resource, eventType } = FirstGeneration.parse(body).eventTrigger;
    const [, , , database, , ...document] = resource.split("/");
    const kind = FIRST_GENERATION_KINDS[eventType.split(".").at(-1) ?? ""] as Kind;
    const type = `google.cloud.firestore.document.v1.${kind}`;
    this.#triggers.set(key, {
      key,
      project,
      database: database as string,
      pattern: matching(document.join("/")),
      kind,
      type,
    });
    return {};
  }

  /** Queues the events of a commit for the functions that want them. */
  onCommit(commit: Commit): void {
    if (this.#triggers.size === 0 || !this.#deliveries.enabled) return;
    const [, project, , database] = commit.database.split("/") as [string, string, string, string];
    for (const change of commit.changes) {
      for (const trigger of this.#triggers.values()) {
        if (trigger.project !== project || trigger.database !== database || !wants(trigger, change)) continue;
        this.#deliveries.enqueue({
          url: `/functions/projects/${trigger.project}/triggers/${trigger.key}`,
          contentType: "application/cloudevents+json; charset=utf-8",
          body: JSON.stringify(eventOf(trigger, commit, change)),
          onGone: () => this.#triggers.delete(trigger.key),
        });
      }
    }
  }

  /** Stops delivering; what is queued is dropped. */
  close(): void {
    this.#deliveries.close();
  }
}

function wants({ kind, pattern }: Trigger, { path, before, after }: Change): boolean {
  const happened: Kind = !before ? "created" : !after ? "deleted" : "updated";
  return (kind === "written" || kind === happened) && pattern.test(path);
}

function exactly(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "s");
}

/** `users/{uid}/items/{rest=**}`: a segment each, or any number of them. */
function matching(pattern: string): RegExp {
  const source = pattern
    .replace(/^\/+|\/+$/g, "")
    .split(/(\{[^}]*\}|\*\*|\*)/)
    .map((part) => {
      if (part === "**" || /^\{.*=\*\*\}$/.test(part)) return ".+";
      if (part === "*" || part.startsWith("{")) return "[^/]+";
      return part.replace(/[.+?^$()|[\]\\]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}$`, "s");
}

function eventOf(trigger: Trigger, commit: Commit, { path, before, after }: Change): object {
  const source = `//firestore.googleapis.com/${commit.database}`;
  const document = (version: LiveVersion | undefined) =>
    version && documentJson(`${commit.database}/documents/${path}`, version);
  return {
    specversion: "1.0",
    id: randomUUID(),
    type: trigger.type,
    source,
    subject: `documents/${path}`,
    time: writeTimestamp(Timestamp.fromMicros(commit.time)),
    location: "nam5",
    project: trigger.project,
    database: trigger.database,
    namespace: "(default)",
    document: path,
    authtype: "system",
    authid: "",
    datacontenttype: "application/json",
    data: {
      ...(after ? { value: document(after) } : {}),
      ...(before ? { oldValue: document(before) } : {}),
      ...(before && after ? { updateMask: { fieldPaths: changedPaths(before.fields, after.fields) } } : {}),
    },
  };
}

function documentJson(name: string, { fields, createTime, updateTime }: LiveVersion): object {
  return {
    name,
    fields: Object.fromEntries([...fields].map(([field, value]) => [field, writeValue(value)])),
    createTime: writeTimestamp(Timestamp.fromMicros(createTime)),
    updateTime: writeTimestamp(Timestamp.fromMicros(updateTime)),
  };
}

/** The paths of the fields in which two states of a document differ, as deep as both are maps. */
function changedPaths(before: Fields, after: Fields, above: readonly string[] = []): string[] {
  const paths: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(name), after.get(name)];
    if (from !== undefined && to !== undefined && identical(from, to)) continue;
    if (isMap(from) && isMap(to)) paths.push(...changedPaths(from, to, [...above, name]));
    else paths.push(formatFieldPath([...above, name]));
  }
  return paths;
}
