import { createHash } from "node:crypto";
import { FieldPath, getAll, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { canonical } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { isSigned, sign } from "./chain.ts";
import { type Account, accounts, type Head, heads, type Manifest, manifests } from "./records.ts";
import type { Standing } from "./replay.ts";

/**
 * Signed heads: once a day, where each account's chain stands is put aside under the ledger's key, and all heads together in a manifest.
 * Whoever cuts a chain short and puts an old state back is found by them; and who checks need not go back further than the last.
 * Manifests are logged too, so that a copy lies outside of the database.
 */

const PAGE = 200;
const MAX_PAGES = 5_000;
const CURRENT = "current";
const DIGEST_BITS = 256n;

/** The head of an account as it stands. */
function headOf(id: string, account: Account): Head {
  const { seq, available, held, owed, lots, frozen } = account;
  const standing = { seq, hash: account.head.hash, available, held, owed, lots, ...(frozen ? { frozen } : {}) };
  return { ...standing, signature: sign(headText(id, standing)), signedAt: timestamp() };
}

/** Whether a head is one that was signed for this account. */
export function isHeadSigned(id: string, head: Head): boolean {
  return isSigned(headText(id, head), head.signature);
}

/** Whether a manifest is one that was signed for this day. */
export function isManifestSigned(manifest: Manifest): boolean {
  return isSigned(manifestText(manifest), manifest.signature);
}

/** What a head adds to the digest of all. */
export function digestOf(id: string, { signature }: Head): bigint {
  return BigInt(
    `0x${createHash("sha256")
      .update(canonical([id, signature]))
      .digest("hex")}`,
  );
}

/** The sum of digests that a manifest holds. */
export function addDigests(digest: string, change: bigint): string {
  return BigInt.asUintN(Number(DIGEST_BITS), BigInt(`0x${digest}`) + change)
    .toString(16)
    .padStart(Number(DIGEST_BITS) / 4, "0");
}

export const NO_DIGEST = "0".repeat(Number(DIGEST_BITS) / 4);

function headText(id: string, { seq, hash, available, held, owed, lots, frozen }: Standing): string {
  return canonical(["head", id, seq, hash, available, held, owed, lots, frozen ? "frozen" : ""]);
}

function manifestText({
  day,
  accounts: count,
  digest,
  since,
  cursor,
}: Omit<Manifest, "signature" | "signedAt">): string {
  return canonical(["manifest", day, count, digest, since, cursor ? [cursor.day, cursor.account] : []]);
}

/**
 * Signs the heads of all accounts that have moved since heads were last signed, and then the manifest of the day. For a daily schedule;
 * can be called again at any time, goes on where it was. Bill: 3 reads and a write for each account that has moved.
 */
export async function signHeads(): Promise<{ accounts: number }> {
  let signed = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { count, isLast } = await signPage();
    signed += count;
    if (!isLast) continue;
    const manifest = (await manifests().doc(CURRENT).get()).data();
    log.info("heads signed", { accounts: signed, manifest: manifest?.digest, signature: manifest?.signature });
    return { accounts: signed };
  }
  log.warn("heads are not all signed yet", { accounts: signed });
  return { accounts: signed };
}

async function signPage(): Promise<{ count: number; isLast: boolean }> {
  const before = (await manifests().doc(CURRENT).get()).data();
  const moved = await pageOfMoved(before);
  const isLast = moved.length < PAGE;
  const last = moved.at(-1);
  return await transact(async (tx) => {
    const current = (await tx.get(manifests().doc(CURRENT))).data();
    // Somebody else is at it.
    if (current?.signature !== before?.signature) return { count: 0, isLast: true };
    const change = await signEach(
      tx,
      moved.map(({ account }) => account),
    );
    const day = current?.cursor ? current.day : timestamp().toDate().toISOString().slice(0, 10);
    const manifest = signedManifest({
      day,
      accounts: (current?.accounts ?? 0) + change.added,
      digest: addDigests(current?.digest ?? NO_DIGEST, change.digest),
      ...(isLast || !last ? { since: day } : { since: current?.since ?? "", cursor: last }),
    });
    tx.set(manifests().doc(CURRENT), manifest);
    if (isLast) tx.set(manifests().doc(day), manifest);
    return { count: change.signed, isLast };
  });
}

/** Accounts that have moved since heads were last signed, on the day of that too, because some may have moved after it. */
async function pageOfMoved(current: Manifest | undefined): Promise<{ account: string; day: string }[]> {
  let query = accounts()
    .where("day", ">=", current?.since ?? "")
    .orderBy("day")
    .orderBy(FieldPath.documentId());
  if (current?.cursor) query = query.startAfter(current.cursor.day, current.cursor.account);
  const { docs } = await query.limit(PAGE).get();
  return docs.map((document) => ({ account: document.id, day: document.data().day }));
}

async function signEach(
  tx: Transaction,
  ids: readonly string[],
): Promise<{ signed: number; added: number; digest: bigint }> {
  const [states, before] = [await getAll(tx, accounts(), ids), await getAll(tx, heads(), ids)];
  const change = { signed: 0, added: 0, digest: 0n };
  for (const [id, account] of states) {
    const old = before.get(id);
    if (!account || old?.hash === account.head.hash) continue;
    const head = headOf(id, account);
    change.signed++;
    change.added += old ? 0 : 1;
    change.digest += digestOf(id, head) - (old ? digestOf(id, old) : 0n);
    tx.set(heads().doc(id), head);
  }
  return change;
}

function signedManifest(manifest: Omit<Manifest, "signature" | "signedAt">): Manifest {
  return { ...manifest, signature: sign(manifestText(manifest)), signedAt: timestamp() };
}
