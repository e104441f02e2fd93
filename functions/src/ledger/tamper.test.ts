import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { FieldValue, firestore, Timestamp } from "../platform/firestore.ts";
import { signHeads } from "./heads.ts";
import { capture, hold, renew } from "./holds.ts";
import { post } from "./post.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";

/** What an insider might do to the books who has the database and not the ledger's key, and what the verifier says to it. */
useBackend();

const DAY = 86_400_000;
const ids = { ada: someone().uid, bo: someone().uid };
const [ada, bo] = [`accounts/${ids.ada}:COIN`, `accounts/${ids.bo}:COIN`];
let sent: string[] = [];
let [grant, undone, back, held, paid] = ["", "", "", "", ""];

const move = async (kind: "grant" | "transfer", from: string, to: string, amount: number) => {
  const key = randomUUID();
  await post({ key, kind, postings: [{ from, to, amount, currency: "COIN" }], reference: "test" });
  return `transactions/${transactionId(key)}`;
};

beforeAll(async () => {
  grant = await move("grant", "system:mint", ids.ada, 1_000);
  for (let i = 0; i < 4; i++) sent.push(await move("transfer", ids.ada, ids.bo, 10));
  undone = await move("grant", "system:mint", ids.bo, 5);
  const reversal = await reverse({ transaction: undone.split("/")[1] ?? "", kind: "refund", reference: "test" });
  back = `transactions/${reversal.id}`;
  const request = { key: randomUUID(), owner: ids.ada, amount: 100, currency: "COIN", reference: "a job" };
  const { id } = await hold({ ...request, expiresAt: now() + DAY });
  held = `holds/${id}`;
  await renew(id, now() + 2 * DAY);
  const payees = [{ to: ids.bo, weight: 1 }];
  paid = `transactions/${(await capture({ key: randomUUID(), hold: id, amount: 30, payees, reference: "a job" })).id}`;
  await signHeads();
  sent = [...sent, await move("transfer", ids.ada, ids.bo, 1)];
  expect(await found()).toEqual([]);
}, 20_000);

const found = async (scope: "all" | "since-heads" = "all") =>
  (await verify({ scope })).problems.map(({ document }) => document);
const read = async (path: string) => (await firestore().doc(path).get()).data() ?? expect.fail();
const update = (path: string, changed: object) => firestore().doc(path).update(changed);
const remove = (path: string) => firestore().doc(path).delete();
const write = (path: string, content: object) => firestore().doc(path).set(content);
/** A transaction's postings, with something else in the first of them. */
const posted = async (path: string, changed: object) => {
  const { postings } = await read(path);
  return { postings: [{ ...postings[0], ...changed }, ...postings.slice(1)] };
};

/** A transaction's places in chains, with something else in each. */
const linked = async (path: string, changed: object) => {
  const links: Record<string, object> = (await read(path)).links;
  return Object.fromEntries(Object.entries(links).map(([account, link]) => [account, { ...link, ...changed }]));
};

/** What is done, to which documents, and the first that the verifier names. */
const TAMPERINGS: Record<
  string,
  { of: () => string[]; does: () => Promise<unknown>; named: () => string; scope?: "since-heads" }
> = {
  "changes the amount of a transaction": {
    of: () => [sent[1] ?? ""],
    does: async () => update(sent[1] ?? "", await posted(sent[1] ?? "", { amount: 9 })),
    named: () => sent[1] ?? "",
  },
  "changes the lots of a transaction": {
    of: () => [grant],
    does: async () => update(grant, await posted(grant, { lots: [{ source: "earned", amount: 1_000 }] })),
    named: () => grant,
  },
  "changes a lot of an account": {
    of: () => [bo],
    does: async () => update(bo, { lots: [{ source: "earned", amount: (await read(bo)).available }] }),
    named: () => bo,
  },
  "changes a balance, lots and all": {
    of: () => [bo],
    does: () => update(bo, { available: 999, lots: [{ source: "promotional", amount: 999 }] }),
    named: () => bo,
  },
  "hides when coins expire": {
    of: () => [bo],
    does: async () => update(bo, { nextExpiryAt: (await read(bo)).updatedAt }),
    named: () => bo,
  },
  "passes an account off as another's": { of: () => [bo], does: () => update(bo, { owner: "eve" }), named: () => bo },
  "takes a transaction out of an account's history": {
    of: () => [sent[2] ?? ""],
    does: () => update(sent[2] ?? "", { accounts: FieldValue.arrayRemove(`${ids.bo}:COIN`) }),
    named: () => sent[2] ?? "",
  },
  "deletes a transaction from the middle": {
    of: () => [sent[2] ?? ""],
    does: () => remove(sent[2] ?? ""),
    named: () => sent[2] ?? "",
  },
  "cuts off the end of a chain": {
    of: () => [sent[4] ?? ""],
    does: () => remove(sent[4] ?? ""),
    named: () => sent[4] ?? "",
  },
  "puts an account back to what it was before a transaction": {
    of: () => [ada, sent[4] ?? ""],
    does: async () => {
      const account = await read(ada);
      const link = (await read(sent[4] ?? "")).links[`${ids.ada}:COIN`];
      const before = (await read(`transactions/${link.previous}`)).links[`${ids.ada}:COIN`];
      const lots = [{ source: "promotional", amount: before.available }];
      const head = { transaction: link.previous, hash: before.hash };
      await write(ada, { ...account, available: before.available, lots, seq: before.seq, head });
    },
    named: () => ada,
  },
  "does so with an account whose head was signed later": {
    of: () => [ada],
    does: async () => update(ada, { seq: 1 }),
    named: () => ada,
    scope: "since-heads",
  },
  "deletes an account": { of: () => [bo], does: () => remove(bo), named: () => bo },
  "deletes an account whose head was signed": {
    of: () => [bo],
    does: () => remove(bo),
    named: () => bo,
    scope: "since-heads",
  },
  "copies a transaction": {
    of: () => ["transactions/a-copy"],
    does: async () => write("transactions/a-copy", await read(sent[0] ?? "")),
    named: () => "transactions/a-copy",
  },
  "forges a transaction": {
    of: () => ["transactions/a-forgery"],
    does: async () => {
      const original = await read(sent[0] ?? "");
      const links = { [`${ids.bo}:COIN`]: { ...original.links[`${ids.bo}:COIN`], seq: 99 } };
      await write("transactions/a-forgery", { ...original, reference: "a gift", links, signature: "tests:forged" });
    },
    named: () => "transactions/a-forgery",
  },
  "swaps the heads of two accounts": {
    of: () => [ada, bo].map((path) => path.replace("accounts", "heads")),
    does: async () => {
      const [one, other] = [ada.replace("accounts", "heads"), bo.replace("accounts", "heads")];
      const [first, second] = [await read(one), await read(other)];
      await write(one, second);
      await write(other, first);
    },
    named: () => [ada, bo].map((path) => path.replace("accounts", "heads")).sort()[0] ?? "",
    scope: "since-heads",
  },
  "deletes a head": {
    of: () => [ada.replace("accounts", "heads")],
    does: () => remove(ada.replace("accounts", "heads")),
    named: () => "manifests/current",
    scope: "since-heads",
  },
  "deletes a hold": { of: () => [held], does: () => remove(held), named: () => held },
  "changes what is left of a hold": {
    of: () => [held],
    does: () => update(held, { captured: 20, lots: [{ source: "promotional", amount: 80 }] }),
    named: () => held,
  },
  "changes the lots of a hold": {
    of: () => [held],
    does: () => update(held, { lots: [{ source: "earned", amount: 70 }] }),
    named: () => held,
  },
  "gives a hold another owner": { of: () => [held], does: () => update(held, { owner: ids.bo }), named: () => held },
  "forgets that a hold was captured": { of: () => [held], does: () => update(held, { moves: {} }), named: () => held },
  "closes a hold": { of: () => [held], does: () => update(held, { state: "released" }), named: () => held },
  "puts the end of a hold off": {
    of: () => [held],
    does: () => update(held, { expiresAt: Timestamp.fromMillis(now() + 9 * DAY) }),
    named: () => held,
  },
  "hides from the next signing that an account has moved": {
    of: () => [ada],
    does: () => update(ada, { day: "2020-01-01" }),
    named: () => ada,
    scope: "since-heads",
  },
  "has an account end nowhere": {
    of: () => [bo],
    does: async () => update(bo, { head: { ...(await read(bo)).head, transaction: "no/where" } }),
    named: () => bo,
  },
  "has a transaction follow one that cannot be": {
    of: () => [sent[2] ?? ""],
    does: async () => update(sent[2] ?? "", { links: await linked(sent[2] ?? "", { previous: "no/where" }) }),
    named: () => sent[2] ?? "",
  },
  "gives a transaction a place in what is no account": {
    of: () => [grant],
    does: async () => {
      const { links } = await read(grant);
      await update(grant, { links: { ...links, "no/account": Object.values(links)[0] } });
    },
    named: () => grant,
  },
  "makes up a hold without a transaction": {
    of: () => ["holds/made-up"],
    does: async () => write("holds/made-up", await read(held)),
    named: () => "holds/made-up",
  },
  "forgets that a transaction was taken back": {
    of: () => [undone],
    does: () => update(undone, { reversedBy: FieldValue.delete() }),
    named: () => undone,
  },
  "claims that a transaction was taken back": {
    of: () => [grant],
    does: () => update(grant, { reversedBy: back.split("/")[1] }),
    named: () => grant,
  },
  "makes a document unreadable": {
    of: () => [paid],
    does: () => update(paid, { postings: FieldValue.delete() }),
    named: () => paid,
  },
};

describe("whoever has the database and not the key is found, who", () => {
  test.each(Object.entries(TAMPERINGS))("%s", async (_, { of, does, named, scope }) => {
    const before = await Promise.all(
      of().map(async (path) => [path, (await firestore().doc(path).get()).data()] as const),
    );
    await does();
    const problems = await found(scope);
    for (const [path, content] of before) await (content ? write(path, content) : remove(path));
    expect(problems[0]).toBe(named());
    expect(await found(scope)).toEqual([]);
  });
});

afterAll(async () => expect(await found()).toEqual([]));
