import { hash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/** Good for a fraction of a millisecond of CPU a KB; what is best takes fifty times as long. */
const BROTLI_QUALITY = 5;
/** Less fits into one packet anyway. */
const MIN_COMPRESSED_BYTES = 1_000;

export type Encoding = "br" | "gzip" | "identity";

/** A body of JSON for whoever asks over HTTP: its tag, and its compressed forms, each made once and when it is first asked for. */
export class Representation {
  readonly json: Buffer;
  /** A weak tag: it is the same for every encoding. */
  readonly etag: string;
  readonly #compressed = new Map<Encoding, Promise<Buffer>>();

  constructor(json: Buffer) {
    this.json = json;
    this.etag = `W/"${hash("sha256", json, "base64url").slice(0, 22)}"`;
  }

  /** About what it takes in memory, with its compressed forms. */
  get byteLength(): number {
    return this.json.length * 2;
  }

  async encoded(encoding: Encoding): Promise<Buffer> {
    if (encoding === "identity") return this.json;
    const made = this.#compressed.get(encoding) ?? compress(this.json, encoding);
    this.#compressed.set(encoding, made);
    return await made;
  }

  /** The best encoding of those that are accepted, and identity where it is not worth it. @param accepted the header `Accept-Encoding` */
  encodingFor(accepted: string | undefined): Encoding {
    return this.json.length < MIN_COMPRESSED_BYTES ? "identity" : encodingOf(accepted);
  }

  /** Whether somebody has it already. @param known the header `If-None-Match` */
  isKnown(known: string | undefined): boolean {
    if (known === undefined) return false;
    const opaque = this.etag.slice("W/".length);
    return known.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === opaque);
  }
}

async function compress(json: Buffer, encoding: "br" | "gzip"): Promise<Buffer> {
  if (encoding === "gzip") return await compressGzip(json);
  return await compressBrotli(json, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
}

/** Source: RFC 9110, 12.5.3. */
function encodingOf(accepted = ""): Encoding {
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice("q=".length);
    weights.set(name, weight === undefined ? 1 : Number(weight));
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get("*") ?? 0;
  const [brotli, zipped] = [weightOf("br"), weightOf("gzip")];
  if (brotli > 0 && brotli >= zipped) return "br";
  return zipped > 0 ? "gzip" : "identity";
}
