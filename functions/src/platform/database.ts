import { getApps, initializeApp } from "firebase-admin/app";
import type { Database } from "firebase-admin/database";

/** Whether the project has a Realtime Database. */
export function hasDatabase(): boolean {
  return urlOf(process.env.FIREBASE_CONFIG) !== undefined;
}

/** The project's Realtime Database; its client is loaded when first asked for, and keeps a connection. */
export async function database(): Promise<Database> {
  const url = urlOf(process.env.FIREBASE_CONFIG);
  if (url === undefined) throw new Error("the project has no Realtime Database: FIREBASE_CONFIG names none");
  const { getDatabaseWithUrl } = await import("firebase-admin/database");
  return getDatabaseWithUrl(url, getApps()[0] ?? initializeApp());
}

const FORBIDDEN = /[%.#$[\]/\p{Cc}]/gu;

/** A text as a key of the Realtime Database: what cannot be in one is percent-encoded, so `decodeURIComponent` gives it back. */
export function keyOf(text: string): string {
  return text.replace(FORBIDDEN, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

let read: { config: string; url: string | undefined } | undefined;

function urlOf(config = ""): string | undefined {
  if (read?.config !== config) read = { config, url: parse(config) };
  return read.url;
}

/** What Firebase tells functions of their project. Source: https://firebase.google.com/docs/functions/config-env#env-variables */
function parse(config: string): string | undefined {
  try {
    const { databaseURL } = JSON.parse(config) as { databaseURL?: unknown };
    return typeof databaseURL === "string" && databaseURL !== "" ? databaseURL : undefined;
  } catch {
    return undefined;
  }
}
