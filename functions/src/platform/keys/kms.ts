import { setTimeout as pause } from "node:timers/promises";
import { applicationDefault } from "firebase-admin/app";
import * as z from "zod";
import { config } from "../config.ts";
import { Failure } from "../failure.ts";
import { log } from "../log.ts";
import { associatedData } from "./cipher.ts";

/**
 * Cloud KMS over REST, as the service account of the function, which needs roles/cloudkms.cryptoKeyEncrypterDecrypter.
 * Source: https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt and …/decrypt
 */

const TIMEOUT_MILLIS = 5_000;
const MAX_ATTEMPTS = 3;
const PAUSE_MILLIS = 100;

const EncryptAnswer = z.looseObject({ name: z.string(), ciphertext: z.base64() });
const DecryptAnswer = z.looseObject({ plaintext: z.base64() });
const ErrorAnswer = z.looseObject({ error: z.looseObject({ status: z.string() }) });

/**
 * Encrypts up to 64 KiB with the primary version of a key, which the answer names, as `…/cryptoKeyVersions/3`.
 * @param key resource name, as `projects/p/locations/l/keyRings/r/cryptoKeys/k`
 */
export async function kmsEncrypt(
  key: string,
  plain: Buffer,
  bound: readonly string[],
): Promise<{ version: string; ciphertext: string }> {
  const answer = await ask(`${key}:encrypt`, {
    plaintext: plain.toString("base64"),
    additionalAuthenticatedData: associatedData(bound).toString("base64"),
  });
  if (!answer.ok) throw new Error(`Cloud KMS does not encrypt: ${answer.status}`);
  const { name, ciphertext } = EncryptAnswer.parse(answer.body);
  return { version: name, ciphertext };
}

/** What was encrypted with any version of a key; undefined if that is not what was encrypted, or not bound to these words. */
export async function kmsDecrypt(
  key: string,
  ciphertext: string,
  bound: readonly string[],
): Promise<Buffer | undefined> {
  const answer = await ask(`${key}:decrypt`, {
    ciphertext,
    additionalAuthenticatedData: associatedData(bound).toString("base64"),
  });
  if (answer.status === "INVALID_ARGUMENT") return undefined;
  if (!answer.ok) throw new Error(`Cloud KMS does not decrypt: ${answer.status}`);
  return Buffer.from(DecryptAnswer.parse(answer.body).plaintext, "base64");
}

interface Answer {
  readonly ok: boolean;
  /** Google's word for it, as `PERMISSION_DENIED`, or the status code of HTTP. */
  readonly status: string;
  readonly body: unknown;
}

/** Throws `sealing-unavailable` if there is no answer after a few attempts. */
async function ask(method: string, body: object): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(method, body);
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS) {
        log.error("Cloud KMS cannot be asked", error, { attempt });
        throw new Failure("unavailable", "What is sealed cannot be reached right now.", {
          reason: "sealing-unavailable",
        });
      }
    }
    await pause(PAUSE_MILLIS * 2 ** attempt);
  }
}

async function askOnce(method: string, body: object): Promise<Answer> {
  const { access_token } = await applicationDefault().getAccessToken();
  const response = await fetch(new URL(`/v1/${method}`, config.sealingKmsUrl.value()), {
    method: "POST",
    headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
  });
  if (response.status === 429 || response.status >= 500) throw new Error(`it answered ${response.status}`);
  const answer: unknown = await response.json();
  const refusal = ErrorAnswer.safeParse(answer);
  const status = refusal.success ? refusal.data.error.status : String(response.status);
  return { ok: response.ok, status, body: answer };
}
