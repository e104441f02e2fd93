import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { now, setClock } from "./clock.ts";
import { transact } from "./firestore.ts";
import { type DomainEvent, deliver, emit, outbox, type Subscriber, sweepOutbox } from "./outbox.ts";

useBackend();

/** A subscriber that fails as often as it is told to, and remembers what it was told. */
function subscriber(name: string, type: string, failures = 0): Subscriber & { readonly heard: DomainEvent[] } {
  const heard: DomainEvent[] = [];
  let left = failures;
  return {
    name,
    type,
    heard,
    react: async (event) => {
      if (left-- > 0) throw new Error("not now");
      heard.push(event);
    },
  };
}

async function happen(type: string, data: DomainEvent["data"] = {}): Promise<string> {
  const key = randomUUID();
  await transact(async (tx) => emit(tx, { type, key, data }));
  const events = (await outbox().where("type", "==", type).get()).docs;
  const at = (event: (typeof events)[number]) => event.data().at.toMillis();
  return events.sort((a, b) => at(b) - at(a))[0]?.id ?? "";
}

describe("an event", () => {
  test("is told to those who subscribe to its type, and to nobody else", async () => {
    const [one, two, other] = [
      subscriber("one", "a.happened"),
      subscriber("two", "a.happened"),
      subscriber("other", "b.happened"),
    ];
    const id = await happen("a.happened", { n: 1 });
    await deliver(id, [one, two, other]);
    expect(one.heard).toEqual([{ id, type: "a.happened", data: { n: 1 } }]);
    expect(two.heard).toHaveLength(1);
    expect(other.heard).toEqual([]);
    expect((await outbox().doc(id).get()).data()).not.toHaveProperty("dueAt");
  });

  test("that one subscriber could not take is told again to that one alone", async () => {
    const [steady, shaky] = [subscriber("steady", "c.happened"), subscriber("shaky", "c.happened", 2)];
    const id = await happen("c.happened");
    await expect(deliver(id, [shaky, steady])).rejects.toThrow("not now");
    await expect(deliver(id, [shaky, steady])).rejects.toThrow("not now");
    await deliver(id, [shaky, steady]);
    await deliver(id, [shaky, steady]);
    expect([steady.heard.length, shaky.heard.length]).toEqual([1, 1]);
    expect((await outbox().doc(id).get()).data()?.deliveries).toMatchObject({
      steady: { state: "done", attempts: 1 },
      shaky: { state: "done", attempts: 3 },
    });
  });

  test("told twice at the same time keeps what each subscriber has had", async () => {
    const [slow, quick] = [subscriber("slow", "f.happened"), subscriber("quick", "f.happened", 1)];
    const id = await happen("f.happened");
    await Promise.allSettled([deliver(id, [slow, quick]), deliver(id, [slow, quick])]);
    await deliver(id, [slow, quick]);
    const record = (await outbox().doc(id).get()).data();
    expect(record?.deliveries).toMatchObject({ slow: { state: "done" }, quick: { state: "done" } });
    expect(record).not.toHaveProperty("dueAt");
  });

  test("that a subscriber can never take is given up in the end, and does not come for ever", async () => {
    const hopeless = subscriber("hopeless", "g.happened", Number.POSITIVE_INFINITY);
    const id = await happen("g.happened");
    const outcomes: string[] = [];
    for (let attempt = 0; attempt < 25; attempt++) {
      outcomes.push(
        await deliver(id, [hopeless]).then(
          () => "settled",
          () => "again",
        ),
      );
    }
    expect(outcomes.lastIndexOf("again")).toBe(18);
    expect((await outbox().doc(id).get()).data()).toMatchObject({
      deliveries: { hopeless: { state: "given-up", attempts: 20 } },
    });
    expect(hopeless.heard).toEqual([]);
  });

  test("is not there if what it tells of did not happen", async () => {
    const key = randomUUID();
    const failing = transact(async (tx) => {
      emit(tx, { type: "d.happened", key, data: {} });
      throw new Error("after all not");
    });
    await expect(failing).rejects.toThrow("after all not");
    expect((await outbox().where("type", "==", "d.happened").get()).empty).toBe(true);
  });

  test("that nobody delivered in time is picked up by the sweep", async () => {
    const late = subscriber("late", "e.happened");
    await happen("e.happened");
    expect(await sweepOutbox([late])).toBe(0);
    const restore = setClock(now() + 3_600_000);
    expect(await sweepOutbox([late])).toBeGreaterThan(0);
    restore();
    expect(late.heard).toHaveLength(1);
  });
});
