import protobuf from "protobufjs/light.js";
import { invalidArgument } from "./status.ts";

/**
 * Which parts of an answer are wanted: the parameter `fields` of Google's APIs, as in `documents(name,fields/age)`.
 * Source: https://cloud.google.com/apis/docs/system-parameters
 */
export type Selection = Map<string, Selection>;

const EVERYTHING = "*";
const MAX_LENGTH = 4_096;
const TOKEN = /[(),/]|[^(),/]+/g;

/** Reads what is selected of a type of message. Throws INVALID_ARGUMENT for what it does not have, and for what cannot be read. */
export function parseSelection(text: string, type: protobuf.Type): Selection {
  if (text.length > MAX_LENGTH)
    throw invalidArgument(`A selection of fields can have at most ${MAX_LENGTH} characters.`);
  // Both ways to write a path are in use.
  const tokens = text.replaceAll(".", "/").match(TOKEN) ?? [];
  const selection = readList(tokens);
  if (tokens.length > 0) throw invalid(text);
  check(selection, type);
  return selection;
}

/** Takes the tokens of a list up to where it ends. */
function readList(tokens: string[]): Selection {
  const selection: Selection = new Map();
  do {
    readPath(tokens, selection);
  } while (tokens[0] === "," && tokens.shift());
  return selection;
}

function readPath(tokens: string[], selection: Selection): void {
  const name = tokens.shift()?.trim() ?? "";
  if (!/^(?:[^(),/]+)$/.test(name)) throw invalid(name);
  const below = selection.get(name) ?? new Map();
  selection.set(name, below);
  if (tokens[0] === "/") {
    tokens.shift();
    readPath(tokens, below);
  } else if (tokens[0] === "(") {
    tokens.shift();
    for (const [key, value] of readList(tokens)) below.set(key, value);
    if (tokens.shift() !== ")") throw invalid(name);
  }
}

function check(selection: Selection, type: protobuf.Type): void {
  for (const [name, below] of selection) {
    if (name === EVERYTHING) continue;
    const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    if (!field) throw invalid(name);
    // Keys of a map are whatever they are.
    const parts = field instanceof protobuf.MapField ? [...below.values()] : [below];
    for (const part of parts) checkPart(part, field, name);
  }
}

function checkPart(part: Selection, field: protobuf.Field, name: string): void {
  if (part.size === 0) return;
  if (!(field.resolvedType instanceof protobuf.Type)) throw invalid(`${name}/${[...part.keys()][0]}`);
  check(part, field.resolvedType);
}

/** The selected part of an answer; of an array, that of each of its elements. */
export function selectFrom(json: unknown, selection: Selection): unknown {
  if (selection.size === 0) return json;
  if (Array.isArray(json)) return json.map((item) => selectFrom(item, selection));
  if (typeof json !== "object" || json === null) return json;
  const all = selection.get(EVERYTHING);
  const entries = Object.entries(json).flatMap(([name, value]) => {
    const below = selection.get(name) ?? all;
    return below ? [[name, selectFrom(value, below)]] : [];
  });
  return Object.fromEntries(entries);
}

function invalid(selection: string): Error {
  return invalidArgument(`Invalid field selection ${selection}`);
}
