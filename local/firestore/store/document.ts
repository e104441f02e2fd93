import type { SortKey } from "../model/order.ts";
import type { Fields } from "../model/value.ts";

/** One state of a document. `fields` is null where the document was deleted. Times are microseconds since the epoch. */
export interface Version {
  readonly fields: Fields | null;
  readonly createTime: number;
  readonly updateTime: number;
  /** The document's size as Firestore counts it. */
  readonly bytes: number;
  /** The state this one took the place of, while reads in the past may ask for it. */
  previous: Version | undefined;
}

/** A version of a document that exists. */
export type LiveVersion = Version & { readonly fields: Fields };

/** A place in a collection and the states it has had. */
export interface StoredDocument {
  readonly path: string;
  /** Sort key within the collection. */
  readonly key: SortKey;
  current: Version;
}

/** A document as a reader got it. */
export interface Snapshot {
  readonly path: string;
  readonly version: LiveVersion;
}

/** The state that was current at a time, if the document existed then. */
export function versionAt(document: StoredDocument, micros: number): LiveVersion | undefined {
  let version: Version | undefined = document.current;
  while (version && version.updateTime > micros) version = version.previous;
  return version?.fields ? (version as LiveVersion) : undefined;
}

export function isLive(version: Version | undefined): version is LiveVersion {
  return version !== undefined && version.fields !== null;
}
