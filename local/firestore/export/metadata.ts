import protobuf from "protobufjs/light.js";
import { readMessage, readText, tag, WireType } from "./message.ts";

/**
 * What an export says of itself, in messages that Google has not published: read from exports of its emulator and of production.
 *
 * The `.overall_export_metadata` is a log of the record "3" and of one record for each set of kinds, which names its `.export_metadata`, a
 * message that names the files with entities. Both lie relative to the file that names them.
 */

const { VARINT, BYTES } = WireType;

export const OVERALL_SUFFIX = ".overall_export_metadata";
export const FORMAT_VERSION = "3";
/** What the emulator writes for all documents of all collections. */
export const ALL_KINDS = {
  folder: "all_namespaces/all_kinds",
  file: "all_namespaces_all_kinds.export_metadata",
} as const;

/** One set of kinds of an export. */
export interface KindsEntry {
  /** Of its metadata, relative to the folder of the export, whichever way its slashes lean. */
  readonly path: string;
  readonly documents: number;
}

const OverallTag = { KINDS: tag(1, BYTES) } as const;
const KindsTag = {
  SETTINGS: tag(1, BYTES),
  PATH: tag(2, BYTES),
  DOCUMENTS: tag(3, VARINT),
  BYTES: tag(4, VARINT),
} as const;
/** Of `SETTINGS`, and the values that all exports have there. */
const SettingsTag = { FIRST: tag(1, VARINT), SECOND: tag(3, VARINT) } as const;
const SETTINGS = [2, 3] as const;

/** @param bytes of the files with entities, all together */
export function writeKindsEntry({ path, documents }: KindsEntry, bytes: number): Uint8Array {
  const out = protobuf.Writer.create().uint32(OverallTag.KINDS).fork().uint32(KindsTag.SETTINGS).fork();
  out.uint32(SettingsTag.FIRST).uint32(SETTINGS[0]).uint32(SettingsTag.SECOND).uint32(SETTINGS[1]).ldelim();
  out.uint32(KindsTag.PATH).string(path);
  out.uint32(KindsTag.DOCUMENTS).int64(documents).uint32(KindsTag.BYTES).int64(bytes);
  return out.ldelim().finish();
}

/** The sets of kinds that a record of the overall metadata names. */
export function readKindsEntries(record: Buffer): KindsEntry[] {
  const reader = protobuf.Reader.create(record);
  const entries: KindsEntry[] = [];
  readMessage(reader, record.length, (found) => {
    if (found !== OverallTag.KINDS) return false;
    let path = "";
    let documents = 0;
    readMessage(reader, reader.uint32(), (part) => {
      if (part === KindsTag.PATH) path = readText(reader);
      else if (part === KindsTag.DOCUMENTS) documents = Number(reader.int64());
      else return false;
      return true;
    });
    entries.push({ path, documents });
    return true;
  });
  return entries;
}

/** What is said of one set of kinds. */
export interface KindsMetadata {
  readonly exportName: string;
  /** Microseconds since the epoch. */
  readonly began: number;
  readonly ended: number;
  /** Relative to the folder of the metadata. */
  readonly files: readonly string[];
}

const MetadataTag = { EXPORT: tag(1, BYTES), OUTPUT: tag(2, BYTES) } as const;
const ExportTag = { NAME: tag(1, BYTES), BEGAN: tag(2, VARINT), ENDED: tag(3, VARINT) } as const;
const OutputTag = { KINDS: tag(1, BYTES), FILE: tag(2, BYTES) } as const;

export function writeKindsMetadata({ exportName, began, ended, files }: KindsMetadata): Uint8Array {
  const out = protobuf.Writer.create().uint32(MetadataTag.EXPORT).fork();
  out.uint32(ExportTag.NAME).string(exportName).uint32(ExportTag.BEGAN).int64(began);
  out.uint32(ExportTag.ENDED).int64(ended).ldelim();
  out.uint32(MetadataTag.OUTPUT).fork().uint32(OutputTag.KINDS).string("");
  for (const file of files) out.uint32(OutputTag.FILE).string(file);
  return out.ldelim().finish();
}

/** The names of the files with entities. */
export function readOutputFiles(metadata: Buffer): string[] {
  const reader = protobuf.Reader.create(metadata);
  const files: string[] = [];
  readMessage(reader, metadata.length, (found) => {
    if (found !== MetadataTag.OUTPUT) return false;
    readMessage(reader, reader.uint32(), (part) => {
      if (part !== OutputTag.FILE) return false;
      files.push(readText(reader));
      return true;
    });
    return true;
  });
  return files;
}
