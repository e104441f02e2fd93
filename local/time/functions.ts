import * as z from "zod";
import type { RetryConfig } from "./retry.ts";

/** What the functions emulator of firebase-tools says of scheduled functions. */

/** A scheduled function as its code declares it. */
export interface ScheduledFunction {
  /** Region and name, as in `us-central1-cleanUp`. */
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly project: string;
  /** Functions of the first generation take the event of a Pub/Sub topic. */
  readonly generation: 1 | 2;
  readonly schedule: string;
  readonly timeZone: string;
  readonly retryConfig: RetryConfig;
  /** How long an attempt may take. */
  readonly deadlineSeconds: number;
}

const LIST_TIMEOUT_MILLIS = 5_000;
const MAX_LISTED = 1_000;
/** Source: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs */
const MIN_DEADLINE_SECONDS = 180;
const MAX_DEADLINE_SECONDS = 1_800;

const optionalNumber = z.number().nullish();

const Backends = z.object({ backends: z.array(z.object({ functionTriggers: z.array(z.unknown()).default([]) })) });

const Scheduled = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  region: z.string().min(1),
  platform: z.string().default("gcfv2"),
  timeoutSeconds: optionalNumber,
  labels: z.record(z.string(), z.string()).default({}),
  schedule: z.object({
    schedule: z.string(),
    timeZone: z.string().nullish(),
    retryConfig: z
      .object({
        retryCount: optionalNumber,
        maxRetrySeconds: optionalNumber,
        minBackoffSeconds: optionalNumber,
        maxBackoffSeconds: optionalNumber,
        maxDoublings: optionalNumber,
      })
      .nullish(),
  }),
});

/**
 * Asks the functions emulator for its scheduled functions. Throws if it does not answer as it should; a single function that cannot be
 * read is reported and left out.
 *
 * @param host `host:port`
 */
export async function listScheduled(host: string, report: (message: string) => void): Promise<ScheduledFunction[]> {
  const response = await fetch(`http://${host}/backends`, { signal: AbortSignal.timeout(LIST_TIMEOUT_MILLIS) });
  if (!response.ok) throw new Error(`the functions emulator answers ${response.status} to /backends`);
  const triggers = Backends.parse(await response.json()).backends.flatMap((backend) => backend.functionTriggers);
  const byId = new Map<string, ScheduledFunction>();
  for (const trigger of triggers) {
    if (!isScheduled(trigger)) continue;
    const read = Scheduled.safeParse(trigger);
    if (!read.success) report(`a scheduled function is not understood: ${z.prettifyError(read.error)}`);
    else if (byId.size < MAX_LISTED) byId.set(read.data.id, toFunction(read.data));
    else report(`only the first ${MAX_LISTED} scheduled functions are kept`);
  }
  return [...byId.values()];
}

function isScheduled(trigger: unknown): boolean {
  return typeof trigger === "object" && trigger !== null && "schedule" in trigger && trigger.schedule !== undefined;
}

function toFunction({ id, name, region, platform, timeoutSeconds, labels, schedule }: z.infer<typeof Scheduled>) {
  const generation = platform === "gcfv1" ? 1 : 2;
  const { retryConfig } = schedule;
  return {
    id,
    name,
    region,
    project: projectOf(labels),
    generation,
    schedule: schedule.schedule,
    // What firebase deploy gives jobs that name none.
    timeZone: schedule.timeZone || (generation === 1 ? "America/Los_Angeles" : "UTC"),
    retryConfig: {
      retryCount: retryConfig?.retryCount ?? 0,
      maxRetrySeconds: retryConfig?.maxRetrySeconds ?? 0,
      minBackoffSeconds: retryConfig?.minBackoffSeconds ?? 5,
      maxBackoffSeconds: retryConfig?.maxBackoffSeconds ?? 3_600,
      maxDoublings: retryConfig?.maxDoublings ?? 5,
    },
    deadlineSeconds: Math.min(Math.max(timeoutSeconds ?? 0, MIN_DEADLINE_SECONDS), MAX_DEADLINE_SECONDS),
  } as const satisfies ScheduledFunction;
}

/** The emulator labels each function with the service it stands for; its routes take any project. */
function projectOf(labels: Readonly<Record<string, string>>): string {
  for (const label of Object.values(labels)) {
    const project = /\/projects\/([^/]+)\/locations\//.exec(label)?.[1];
    if (project !== undefined) return project;
  }
  return "project";
}

/** The name that `firebase deploy` gives a function's job. */
export function jobName({ name, region }: ScheduledFunction): string {
  return `firebase-schedule-${name}-${region}`;
}
