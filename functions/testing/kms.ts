import { generateKeySync, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decrypt, encrypt, packed, unpacked } from "../src/platform/keys/cipher.ts";

/**
 * For tests: Cloud KMS, and the metadata server that gives functions their tokens, by their wire formats, with one key.
 * Source: https://cloud.google.com/kms/docs/reference/rest and https://cloud.google.com/compute/docs/metadata/querying-metadata
 */
export interface Kms {
  /** Resource name of the key. */
  readonly key: string;
  /** What has to be in the environment for functions to use it. */
  readonly settings: Record<string, string>;
  /** What was asked, oldest first. */
  readonly requests: KmsRequest[];
  /** What it answers instead of what it should, in turn. */
  readonly refusals: { readonly code: number; readonly status: string }[];
  /** Called, and waited for, before it encrypts. */
  onEncrypt: () => Promise<void> | void;
  /** Gives the key a new primary version. */
  rotate(): void;
  close(): void;
}

interface KmsRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

const KEY = "projects/demo-modules/locations/europe-west3/keyRings/house/cryptoKeys/sealing";
const TOKEN = "token-of-the-service-account";

export async function startKms(): Promise<Kms> {
  const versions = [newVersion()];
  const server = createServer(async (request, response) => {
    if (request.url?.startsWith("/computeMetadata/")) return answerMetadata(request, response);
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const body = JSON.parse(text) as Record<string, string>;
    const { method, url: path } = request;
    kms.requests.push({ method, path, authorization: request.headers.authorization, body });
    const refusal = kms.refusals.shift() ?? refusalOf(request);
    if (refusal) return answer(response, refusal.code, { error: refusal });
    if (path?.endsWith(":encrypt")) await kms.onEncrypt();
    const result = path?.endsWith(":encrypt") ? encrypted(versions, body) : decrypted(versions, body);
    if (result) return answer(response, 200, result);
    return answer(response, 400, {
      error: { code: 400, message: "Decryption failed: the ciphertext is invalid.", status: "INVALID_ARGUMENT" },
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kms: Kms = {
    key: KEY,
    settings: {
      SEALING_KMS_KEY: KEY,
      SEALING_KMS_URL: `http://${host}`,
      METADATA_SERVER_DETECTION: "assume-present",
      GCE_METADATA_HOST: host,
      // A developer's own credentials must not be found.
      GOOGLE_APPLICATION_CREDENTIALS: "",
      CLOUDSDK_CONFIG: "/nonexistent",
    },
    requests: [],
    refusals: [],
    onEncrypt: () => undefined,
    rotate: () => {
      versions.push(newVersion());
    },
    close: () => {
      server.close();
    },
  };
  return kms;
}

function newVersion(): KeyObject {
  return generateKeySync("aes", { length: 256 });
}

function answerMetadata(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Metadata-Flavor", "Google");
  const isToken = request.url?.split("?")[0]?.endsWith("/service-accounts/default/token");
  answer(response, 200, isToken ? { access_token: TOKEN, expires_in: 3_599, token_type: "Bearer" } : {});
}

function refusalOf({ url, headers }: IncomingMessage): { code: number; status: string } | undefined {
  if (headers.authorization !== `Bearer ${TOKEN}`) return { code: 401, status: "UNAUTHENTICATED" };
  if (url !== `/v1/${KEY}:encrypt` && url !== `/v1/${KEY}:decrypt`) return { code: 404, status: "NOT_FOUND" };
  return undefined;
}

function encrypted(versions: readonly KeyObject[], { plaintext, additionalAuthenticatedData }: Record<string, string>) {
  const version = versions.at(-1) as KeyObject;
  const text = packed(encrypt(version, bytes(plaintext), [additionalAuthenticatedData ?? ""]));
  return {
    name: `${KEY}/cryptoKeyVersions/${versions.length}`,
    ciphertext: Buffer.from(`${versions.length} ${text}`).toString("base64"),
    protectionLevel: "SOFTWARE",
  };
}

function decrypted(
  versions: readonly KeyObject[],
  { ciphertext, additionalAuthenticatedData }: Record<string, string>,
) {
  const [number, text = ""] = bytes(ciphertext).toString().split(" ");
  const [version, parts] = [versions[Number(number) - 1], unpacked(text)];
  const plain = version && parts && decrypt(version, parts, [additionalAuthenticatedData ?? ""]);
  return plain && { plaintext: plain.toString("base64"), usedPrimary: version === versions.at(-1) };
}

function bytes(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64");
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
