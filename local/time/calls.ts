import { request as httpRequest } from "node:http";
import { jobName, type ScheduledFunction } from "./functions.ts";

/** What an attempt came to: the status of the answer, or none. `disabled`: the emulator's background functions are switched off. */
export type Outcome =
  | { readonly kind: "answered"; readonly status: number }
  | { readonly kind: "unanswered"; readonly reason: string }
  | { readonly kind: "disabled" };

const MAX_TEXT = 200_000;
const LOOK_UP_SECONDS = 5;
const UNKNOWN_KEY = "no-such-function";

/**
 * Calls functions by the keys that the emulator keeps them under: their id, and how often all functions have been loaded anew, which
 * nothing lists but the answer for a key that does not exist.
 */
export class FunctionCaller {
  readonly #host: string;
  readonly #keys = new Map<string, string>();

  constructor(host: string) {
    this.#host = host;
  }

  /** Calls a function once, for the time at which it was due. Never throws. */
  async call(called: ScheduledFunction, due: number, signal: AbortSignal): Promise<Outcome> {
    try {
      if (called.generation === 1) return await this.#callFirstGeneration(called, due, signal);
      const key = this.#keys.get(called.id) ?? `${called.id}-0`;
      const first = await this.#post(called, key, due, signal);
      if (first.status !== 404 && first.status !== 204) return outcomeOf(first);
      const latest = await this.#latestKey(called, signal);
      if (latest !== undefined && latest !== key) {
        this.#keys.set(called.id, latest);
        return outcomeOf(await this.#post(called, latest, due, signal));
      }
      return outcomeOf(first);
    } catch (error) {
      return { kind: "unanswered", reason: (error as Error).message };
    }
  }

  /** These answer 204 when all is well, as the emulator does for a key that is disabled; so the right key is looked up first. */
  async #callFirstGeneration(called: ScheduledFunction, due: number, signal: AbortSignal): Promise<Outcome> {
    const key = (await this.#latestKey(called, signal)) ?? `${called.id}-0`;
    const { status } = await this.#post(called, key, due, signal);
    return { kind: "answered", status };
  }

  async #latestKey(called: ScheduledFunction, signal: AbortSignal): Promise<string | undefined> {
    const { status, text } = await post(this.#url(called, UNKNOWN_KEY), "", {}, { signal, seconds: LOOK_UP_SECONDS });
    if (status !== 404) return undefined;
    const known = text.split(/[\s,]+/).filter((key) => key.startsWith(`${called.id}-`));
    const generations = known.map((key) => key.slice(called.id.length + 1)).filter((rest) => /^\d+$/.test(rest));
    const latest = generations.reduce((highest, generation) => Math.max(highest, Number(generation)), -1);
    return latest < 0 ? undefined : `${called.id}-${latest}`;
  }

  #post(called: ScheduledFunction, key: string, due: number, signal: AbortSignal): Promise<Answer> {
    const time = new Date(due).toISOString().replace(".000Z", "Z");
    const isFirst = called.generation === 1;
    return post(
      this.#url(called, key),
      isFirst ? JSON.stringify(topicEvent(called, time)) : "",
      {
        "Content-Type": isFirst ? "application/json" : "application/octet-stream",
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": jobName(called),
        "X-CloudScheduler-ScheduleTime": time,
      },
      { signal, seconds: called.deadlineSeconds },
    );
  }

  #url({ project }: ScheduledFunction, key: string): string {
    return `http://${this.#host}/functions/projects/${encodeURIComponent(project)}/triggers/${encodeURIComponent(key)}`;
  }
}

function outcomeOf({ status }: Answer): Outcome {
  return status === 204 ? { kind: "disabled" } : { kind: "answered", status };
}

/** What functions of the first generation get from the topic of their job. */
function topicEvent(called: ScheduledFunction, time: string): object {
  return {
    context: {
      eventId: `${jobName(called)}-${time}`,
      timestamp: time,
      eventType: "google.pubsub.topic.publish",
      resource: {
        service: "pubsub.googleapis.com",
        name: `projects/${called.project}/topics/${jobName(called)}`,
        type: "type.googleapis.com/google.pubsub.v1.PubsubMessage",
      },
    },
    data: { "@type": "type.googleapis.com/google.pubsub.v1.PubsubMessage", attributes: { scheduled: "true" } },
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Unlike `fetch`, waits for an answer as long as a function may take. */
function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  { signal, seconds }: { signal: AbortSignal; seconds: number },
): Promise<Answer> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)]);
  return new Promise((resolve, reject) => {
    const length = { "Content-Length": String(Buffer.byteLength(body)) };
    const request = httpRequest(
      url,
      { method: "POST", headers: { ...headers, ...length }, signal: within },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          if (text.length < MAX_TEXT) text += chunk;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.once("error", reject);
      },
    );
    request.once("error", (error) => reject(within.aborted ? new Error(`no answer within ${seconds} s`) : error));
    request.end(body);
  });
}
