import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { useBackend, webhookRequest } from "../../testing/backend.ts";
import { now, setClock } from "./clock.ts";
import { parseInput } from "./endpoint.ts";
import { firestore, timestamp } from "./firestore.ts";
import {
  type Incoming,
  MAX_ATTEMPTS,
  Postponed,
  type Receipt,
  receive,
  retry,
  retryWaitingFor,
  sweep,
  type WebhookRecord,
  type WebhookSource,
  webhooks,
} from "./webhooks.ts";

const backend = useBackend();

beforeEach(() => {
  backend.tasks.length = 0;
  backend.onTask = () => undefined;
});

/** A vendor whose webhooks do what they are told. */
function vendor(carryOut: Incoming["carryOut"]): WebhookSource {
  return {
    name: "vendor",
    authenticate: () => undefined,
    read: (body) => {
      const { id } = parseInput(z.object({ id: z.string() }), body);
      return { id, type: "THING", body: JSON.stringify({ id }), carryOut };
    },
  };
}

const works = vendor(async () => ({ result: "done" }));
const breaks = vendor(async () => {
  throw new Error("broken");
});
const waits = vendor(async () => {
  throw new Postponed("not-yet", "thing:x");
});
const newRequest = () => webhookRequest({ id: randomUUID() });
const recordOf = async (id: string) => (await webhooks().doc(id).get()).data();

describe("a webhook that is kept", () => {
  test("stays done when another delivery succeeds just as a try of it fails", async () => {
    const request = newRequest();
    const { id } = await receive(waits, request);
    let other: Promise<Receipt> | undefined;
    const overtaken = vendor(async () => {
      other ??= receive(works, request);
      // Long enough for the other to stand at the record's lock when this one lets go of it.
      await sleep(300);
      throw new Error("too late");
    });
    await retry([overtaken], id, "task").catch(() => undefined);
    expect((await other)?.state).toBe("done");
    expect(await recordOf(id)).toMatchObject({ state: "done", outcome: { result: "done" } });
    expect((await retry([breaks], id, "task")).state).toBe("duplicate");
  });

  test("is not used up by an operator's tries", async () => {
    const { id } = await receive(waits, newRequest());
    for (let i = 0; i < MAX_ATTEMPTS + 5; i++) await expect(retry([waits], id, "operator")).rejects.toThrow("not-yet");
    expect(await recordOf(id)).toMatchObject({ state: "retrying", attempts: 1 });
  });

  test("that was parked can be carried out by an operator, or by the vendor's next delivery", async () => {
    const parked = async () => {
      const request = newRequest();
      const { id } = await receive(breaks, request);
      await webhooks()
        .doc(id)
        .update({ attempts: MAX_ATTEMPTS - 1 });
      expect(await retry([breaks], id, "task")).toMatchObject({ state: "parked", outcome: { result: "failed" } });
      expect(await retry([works], id, "task")).toMatchObject({ state: "parked", outcome: { result: "failed" } });
      expect(await recordOf(id)).toMatchObject({ attempts: MAX_ATTEMPTS });
      return { id, request };
    };
    const [one, other] = [await parked(), await parked()];
    expect((await retry([works], one.id, "operator")).state).toBe("done");
    expect((await receive(works, other.request)).state).toBe("done");
  });

  test("forgets its body and what it waited for once it is done", async () => {
    const { id } = await receive(waits, newRequest());
    expect(await recordOf(id)).toMatchObject({ waitingFor: "thing:x" });
    await retry([works], id, "task");
    const record = await recordOf(id);
    for (const field of ["body", "waitingFor", "retryAt"]) expect(record).not.toHaveProperty(field);
  });

  test("whose task was lost is queued again by the sweep, once for each time it is due", async () => {
    const { id } = await receive(waits, newRequest());
    backend.tasks.length = 0;
    await sweep();
    expect(backend.tasks).toEqual([]);
    const restore = setClock(now() + 8 * 3_600_000);
    await sweep();
    await sweep();
    restore();
    expect(backend.tasks.filter(({ data }) => (data as { id: string }).id === id)).toHaveLength(1);
  });

  test("that is carried out while the sweep queues it is not swept any more", async () => {
    const { id } = await receive(waits, newRequest());
    const restore = setClock(now() + 8 * 3_600_000);
    backend.onTask = async ({ data }) => {
      if ((data as { id: string }).id === id) await retry([works], id, "task");
    };
    await sweep();
    restore();
    expect(await recordOf(id)).toMatchObject({ state: "done" });
    expect(await recordOf(id)).not.toHaveProperty("retryAt");
  });
});

test("however many webhooks wait for something, all are tried again when it comes", async () => {
  const waiting = 450;
  const record: WebhookRecord = {
    source: "vendor",
    event: "e",
    type: "THING",
    state: "retrying",
    outcome: { result: "waiting" },
    attempts: 1,
    receivedAt: timestamp(),
    updatedAt: timestamp(),
    body: "{}",
    waitingFor: "thing:many",
  };
  const batch = firestore().batch();
  for (let i = 0; i < waiting; i++) batch.set(webhooks().doc(`many-${i}`), record);
  await batch.commit();
  expect(await retryWaitingFor("thing:many", "now")).toBe(waiting);
  expect(new Set(backend.tasks.map(({ data }) => (data as { id: string }).id)).size).toBe(waiting);
});

describe("a body that is refused", () => {
  test.each([
    ["not JSON", "{", "invalid-input"],
    ["not the vendor's", "{}", "invalid-input"],
    ["too large", JSON.stringify({ id: "x", more: "x".repeat(300_000) }), "body-too-large"],
  ])("because it is %s is kept nowhere, and is said", async (_why, body, reason) => {
    const { bill } = await backend.billed(() =>
      expect(receive(works, webhookRequest(body))).rejects.toMatchObject({ code: "invalid-argument", reason }),
    );
    expect(bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
  });
});
