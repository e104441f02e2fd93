import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { identityOf, payloadOf } from "../tokens.ts";
import type { Invocation, Invocations } from "./invocations.ts";
import { millisSince } from "./millis.ts";

/** A function as the functions emulator of firebase-tools knows it. */
interface Definition {
  readonly httpsTrigger?: unknown;
  readonly taskQueueTrigger?: unknown;
  readonly blockingTrigger?: unknown;
  readonly schedule?: unknown;
  readonly eventTrigger?: { readonly eventType?: string };
  readonly labels?: Readonly<Record<string, string>>;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: { readonly region?: string; readonly trigger_name?: string };
}

type Handle = (this: FunctionsEmulator, call: Call, response: ServerResponse) => Promise<void>;

/** The part of the functions emulator through which goes every call, whatever sets it off. */
export interface FunctionsEmulator {
  readonly triggers?: Readonly<Record<string, { readonly def: Definition }>>;
  handleHttpsTrigger: Handle;
}

/** Has an emulator's calls written down. @param emulator the prototype of its class */
export function recordInvocations(emulator: FunctionsEmulator, invocations: Invocations): void {
  const handle = emulator.handleHttpsTrigger;
  emulator.handleHttpsTrigger = function (call, response) {
    const began = performance.now();
    response.once("close", () => {
      const status = response.writableFinished ? response.statusCode : 0;
      invocations.keep({
        at: Date.now(),
        ...about(call, this.triggers ?? {}),
        status,
        isFailed: status === 0 || status >= 500,
        millis: millisSince(began),
      });
    });
    return handle.call(this, call, response);
  };
}

/** Of a key of the emulator; events and schedules call functions by it. */
const GENERATION = /-\d+$/;

function about(
  call: Call,
  triggers: NonNullable<FunctionsEmulator["triggers"]>,
): Pick<Invocation, "name" | "trigger" | "path" | "user"> {
  const { region, trigger_name: ownName = "" } = call.params;
  const key = region === undefined ? ownName : `${region}-${ownName}`;
  const name = region === undefined ? key.replace(GENERATION, "") : key;
  const trigger = triggerOf(triggers[key]?.def);
  if (trigger !== "https" && trigger !== "callable") return { name, trigger };
  const path = call.path.split(`/${region}/${ownName}`)[1] ?? "";
  return { name, trigger, path: `${call.method} ${path || "/"}`, user: userOf(call.headers) };
}

function triggerOf(definition: Definition = {}): string {
  const { eventTrigger, httpsTrigger, labels, schedule, taskQueueTrigger, blockingTrigger } = definition;
  if (schedule) return "schedule";
  if (taskQueueTrigger) return "task";
  if (blockingTrigger) return "blocking";
  if (eventTrigger) return eventTrigger.eventType ?? "event";
  if (!httpsTrigger) return "unknown";
  return labels?.["deployment-callable"] === "true" ? "callable" : "https";
}

function userOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  return token === undefined ? undefined : identityOf(payloadOf(token), Date.now())?.uid;
}
