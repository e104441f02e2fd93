import * as z from "zod";
import type { Issue } from "../rules/rules.ts";

/**
 * What the CLI and the program that judges for its Storage emulator say to each other: a JSON object a line.
 * Source: firebase-tools/lib/emulator/storage/rules/runtime.js
 */

/** Carried by a request, by the question for a document that it leads to, and by the answer to either. */
const Id = z.int();

/** Rules to be judged by from now on, under a name; always one file. */
const Load = z.object({
  action: z.literal("load_ruleset"),
  id: Id,
  context: z.object({
    rulesetName: z.string(),
    source: z.object({ files: z.tuple([z.object({ name: z.string(), content: z.string() })]) }),
  }),
});

/** May this be done? `read` and `write` are asked by tests only. */
const Verify = z.object({
  action: z.literal("verify"),
  id: Id,
  context: z.object({
    rulesetName: z.string(),
    service: z.literal("firebase.storage"),
    path: z.string(),
    method: z.enum(["get", "list", "create", "update", "delete", "read", "write"]),
    variables: z.object({ resource: z.unknown().optional(), request: z.unknown().optional() }),
  }),
});

/** The document that was asked for; it has no action. */
const Found = z.object({
  action: z.undefined().optional(),
  id: Id,
  status: z.string(),
  result: z.unknown().optional(),
});

export const Message = z.union([z.discriminatedUnion("action", [Load, Verify]), Found]);
export const Identified = z.object({ id: Id });

export type Load = z.output<typeof Load>;
export type Verify = z.output<typeof Verify>;
export type Found = z.output<typeof Found>;

export interface Answer {
  readonly id?: number;
  /** With any other than `ok` the CLI writes the errors to its output and lets its caller wait for ever. */
  readonly status: "ok" | "error";
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly result?: { readonly rulesVersion: 1 | 2 } | { readonly permit: boolean };
  readonly message?: string;
}

/** Asks the CLI for a document of Firestore. */
export interface Question {
  readonly id: number;
  readonly server_request_id: number;
  readonly status: "ok";
  readonly action: "fetch_firestore_document";
  readonly context: { readonly path: string };
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** An error or warning about a source. */
export function issueText(fileName: string, { line, column, description }: Issue): string {
  return JSON.stringify({
    description_: description,
    sourcePosition_: { fileName_: fileName, line_: line, column_: column },
  });
}

/** A message as a line of ASCII: the CLI decodes what it reads piece by piece, and would break what is longer than a byte. */
export function lineOf(message: Answer | Question): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(message).replace(/[\u007f-\uffff]/g, escaped)}\n`;
}
