import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { setClock } from "../platform/clock.ts";
import { firestore } from "../platform/firestore.ts";
import { listNotices, markRead } from "./inbox.ts";
import { notify } from "./notify.ts";

const backend = useBackend();

const tell = (user: string, key: string, mail = false) => notify({ user, key, kind: "greeting", data: { key }, mail });
const page = (uid: string, cursor?: string) => listNotices({ uid }, { limit: 2, ...(cursor ? { cursor } : {}) });

describe("a user", () => {
  test("reads what they were told, newest first, and nobody else's", async () => {
    const [ada, bo] = [someone(), someone()];
    for (const [i, key] of ["one", "two", "three"].entries()) {
      const unset = setClock(1_000 * (i + 1));
      await tell(ada.uid, key);
      unset();
    }
    await tell(bo.uid, "other");
    const { result: first, bill } = await backend.billed(() => page(ada.uid));
    const second = await page(ada.uid, first.nextCursor);
    expect([...first.notices, ...second.notices].map(({ data, at }) => [data.key, at])).toEqual([
      ["three", 3_000],
      ["two", 2_000],
      ["one", 1_000],
    ]);
    expect(bill).toMatchObject({ reads: 2, writes: 0 });
    await expect(page(ada.uid, "somewhere")).rejects.toMatchObject({ reason: "invalid-input" });
  });

  test("is told once for each key, however often and at once, for one write", async () => {
    const { uid } = someone();
    await Promise.all(Array.from({ length: 5 }, () => tell(uid, "same")));
    expect((await page(uid)).notices).toHaveLength(1);
    const { bill } = await backend.billed(() => tell(uid, "another"));
    expect(bill).toMatchObject({ reads: 0, writes: 1 });
  });

  test("marks as read what they have, and what they have not is passed over", async () => {
    const [ada, bo] = [someone(), someone()];
    const [{ id }, { id: others }] = [await tell(ada.uid, "mine"), await tell(bo.uid, "theirs")];
    expect(await markRead(ada, { ids: [id, id, others, "nothing"] })).toEqual({ marked: 1 });
    expect(await markRead(ada, { ids: [id] })).toEqual({ marked: 0 });
    expect((await page(ada.uid)).notices).toMatchObject([{ id, isRead: true }]);
    expect((await page(bo.uid)).notices).toMatchObject([{ isRead: false }]);
  });
});

describe("a mail", () => {
  const mails = async (user: string) =>
    (await firestore().collection("outgoing").where("toUids", "array-contains", user).get()).docs.map((document) =>
      document.data(),
    );

  test("goes out once to whoever sends them, to a user and not to an address", async () => {
    const { uid } = someone();
    process.env.MAIL_COLLECTION = "outgoing";
    await Promise.all([tell(uid, "news", true), tell(uid, "news", true)]);
    await tell(uid, "quiet");
    process.env.MAIL_COLLECTION = "";
    expect(await mails(uid)).toEqual([{ toUids: [uid], template: { name: "greeting", data: { key: "news" } } }]);
  });

  test("is not made where nobody sends them", async () => {
    const { uid } = someone();
    await tell(uid, "news", true);
    expect(await mails(uid)).toEqual([]);
  });
});
