import { parseRules, type Ruleset, RulesSyntaxError } from "../rules/rules.ts";
import { documentOf, urlPathOf } from "./document.ts";
import {
  type Answer,
  type Found,
  Identified,
  issueText,
  type Load,
  Message,
  type Question,
  type Verify,
} from "./message.ts";
import { parse, UnreadableValue } from "./value.ts";
import { Verification } from "./verification.ts";

/** The CLI gives a file that has changed a new name and never takes the old one back: of so many those used last are kept. */
const MAX_RULESETS = 1_000;
/** Requests that wait for a document. Beyond, those that have waited longest are given up. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly verification: Verification;
  readonly wanted: readonly string[];
}

/** Judges requests for files by Storage rules, as the CLI's Storage emulator asks for it line by line. */
export class StorageRulesRuntime {
  readonly #rulesets = new Map<string, Ruleset>();
  readonly #waiting = new Map<number, Waiting>();

  /** What is said to a line. Whatever the line, there is one answer, and it carries the id if the line has one. */
  answer(line: string): Answer | Question {
    let id: number | undefined;
    try {
      const json: unknown = JSON.parse(line);
      id = Identified.safeParse(json).data?.id;
      return this.#handle(parse(Message, json));
    } catch (error) {
      return refusal(id, error instanceof Error ? error.message : String(error));
    }
  }

  #handle(message: Load | Verify | Found): Answer | Question {
    if (message.action === "load_ruleset") return this.#load(message);
    if (message.action === "verify") return this.#verify(message);
    return this.#found(message);
  }

  #load({ id, context: { rulesetName, source } }: Load): Answer {
    const [{ name, content }] = source.files;
    try {
      const ruleset = parseRules(content);
      keep(this.#rulesets, rulesetName, ruleset, MAX_RULESETS);
      const warnings = ruleset.warnings.map((issue) => issueText(name, issue));
      return { id, status: "ok", errors: [], warnings, result: { rulesVersion: ruleset.version } };
    } catch (error) {
      if (!(error instanceof RulesSyntaxError)) throw error;
      return { id, status: "ok", errors: error.issues.map((issue) => issueText(name, issue)), warnings: [] };
    }
  }

  #verify({ id, context }: Verify): Answer | Question {
    const ruleset = this.#rulesets.get(context.rulesetName);
    if (!ruleset) throw new UnreadableValue(`There is no ruleset ${context.rulesetName}.`);
    keep(this.#rulesets, context.rulesetName, ruleset, MAX_RULESETS);
    return this.#step(id, new Verification(ruleset, context));
  }

  #found({ id, status, result }: Found): Answer | Question {
    const waiting = this.#waiting.get(id);
    if (!waiting) throw new UnreadableValue("Nothing waits for this document.");
    this.#waiting.delete(id);
    const { verification, wanted } = waiting;
    verification.learn(wanted, status === "ok" ? documentOf(wanted, result) : null);
    return this.#step(id, verification);
  }

  #step(id: number, verification: Verification): Answer | Question {
    const step = verification.step();
    if ("wanted" in step) {
      const { wanted } = step;
      keep(this.#waiting, id, { verification, wanted }, MAX_WAITING);
      return question(id, urlPathOf(wanted));
    }
    const { allowed, explanation } = step.verdict;
    const warnings = step.debugged.map((text) => `debug: ${text}`);
    if (!allowed) warnings.push(explanation);
    return { id, status: "ok", errors: [], warnings, result: { permit: allowed } };
  }
}

/** Puts an entry behind all others, and drops the foremost if there are too many. */
function keep<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [first] = map.keys();
  if (map.size > most && first !== undefined) map.delete(first);
}

function question(id: number, path: string): Question {
  const action = "fetch_firestore_document";
  return { id, server_request_id: id, status: "ok", action, context: { path }, errors: [], warnings: [] };
}

/** Who asks with an id gets errors for an answer; of a line without one, the CLI only writes down that it was not understood. */
export function refusal(id: number | undefined, message: string): Answer {
  if (id === undefined) return { status: "error", message, errors: [message], warnings: [] };
  return { id, status: "ok", errors: [message], warnings: [] };
}
