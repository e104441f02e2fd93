import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Browser, hasChromium, startChromium, type Tab } from "../chromium.ts";
import { type FirestoreServer, startFirestore } from "../firestore/server.ts";
import { unsignedToken } from "../tokens.ts";
import { type Inspect, startInspect } from "./server.ts";

const PROJECT = "demo-page";
const DOCUMENTS = `/v1/projects/${PROJECT}/databases/(default)/documents`;
const HOSTILE = "<img src=x onerror=alert(1)>";
const RULES = `rules_version = "2";
service cloud.firestore { match /databases/{d}/documents { match /users/{user} { allow read: if request.auth.uid == user; } } }`;
const patience = { timeout: 15_000, interval: 100 };

let firestore: FirestoreServer;
let inspect: Inspect;
let browser: Browser;
let tab: Tab;

async function ask(path: string, uid?: string, fields?: object): Promise<void> {
  await fetch(`http://127.0.0.1:${firestore.port}${DOCUMENTS}/${path}`, {
    ...(fields ? { method: "PATCH", body: JSON.stringify({ fields }) } : {}),
    headers: { authorization: uid === undefined ? "Bearer owner" : `Bearer ${unsignedToken({ sub: uid })}` },
  });
}

/** What of a browser's page is used here. */
interface Part {
  readonly innerText: string;
  readonly className: string;
  readonly tabIndex: number;
  readonly scrollWidth: number;
  readonly style: { width: string };
  click(): void;
}
declare const document: {
  readonly body: Part;
  readonly documentElement: Part;
  querySelector(selector: string): Part | null;
  querySelectorAll(selector: string): Iterable<Part>;
};
declare const location: { assign(url: string): void };
declare const innerWidth: number;

const textOf = (selector: string) => tab.run((one) => document.querySelector(one)?.innerText ?? "", selector);
const openTab = (hash: string) => tab.run((one) => location.assign(one), hash);
const click = (selector: string) => tab.run((one) => document.querySelector(one)?.click(), selector);

describe.skipIf(!hasChromium)(`the page${hasChromium ? "" : " (skipped: Chromium is not installed)"}`, () => {
  beforeAll(async () => {
    firestore = await startFirestore({ rules: { [PROJECT]: RULES } });
    inspect = await startInspect({
      firestoreHost: `127.0.0.1:${firestore.port}`,
      databaseHost: undefined,
      project: PROJECT,
    });
    await ask(`users/${encodeURIComponent(HOSTILE)}`, undefined, { bio: { stringValue: HOSTILE } });
    browser = await startChromium();
    tab = await browser.open(`http://127.0.0.1:${inspect.port}/`);
  }, 40_000);
  afterAll(async () => {
    await browser?.close();
    await inspect?.close();
    await firestore?.close();
  });

  test("shows a denied request as it happens, and the rule behind it when it is opened", async () => {
    await ask("users/ada", "bo");
    await vi.waitFor(
      async () => expect(await textOf("#request-rows .is-bad summary")).toContain("users/ada"),
      patience,
    );
    await click("#request-rows .is-bad summary");
    expect(await textOf("#request-rows .is-bad pre")).toContain('request.auth.uid is "bo" and user is "ada"');
  });

  test("shows only what a filter lets through", async () => {
    await click("[name=denied]");
    await vi.waitFor(async () => {
      const rows = await tab.run(() => [...document.querySelectorAll("#request-rows li")].map((row) => row.className));
      expect(rows).toEqual(["is-bad"]);
    }, patience);
    await click("[name=denied]");
  });

  test("takes whatever documents and their names hold for text", async () => {
    await openTab("#documents");
    await vi.waitFor(async () => expect(await textOf("#document-rows")).toContain("users"), patience);
    await click("#document-rows button");
    await vi.waitFor(async () => expect(await textOf("#document-rows summary")).toBe(HOSTILE), patience);
    expect(await tab.run(() => [...document.querySelectorAll("img")].length)).toBe(0);
  });

  test("counts the bill anew from where a button was pressed", async () => {
    await openTab("#bill");
    await vi.waitFor(async () => expect(await textOf("#figures")).toMatch(/writes\s+1\b/), patience);
    await click("#mark");
    await vi.waitFor(async () => expect(await textOf("#figures")).toMatch(/writes\s+0\b/), patience);
    await ask("users/cy", undefined, {});
    await ask("users/dee", undefined, {});
    await vi.waitFor(async () => expect(await textOf("#path-rows")).toMatch(/^users\s+2\s+0\s+2/), patience);
  });

  test("can be used by keyboard, and fits a phone", async () => {
    const unreachable = await tab.run(
      () =>
        [...document.querySelectorAll("main a, main button, main input, main select, summary, nav a")].filter(
          (one) => one.tabIndex < 0,
        ).length,
    );
    expect(unreachable).toBe(0);
    const overflows = await tab.run(() => {
      document.body.style.width = "360px";
      return document.documentElement.scrollWidth > Math.max(innerWidth, 360);
    });
    expect(overflows).toBe(false);
  });

  test("says so when the suite is gone", async () => {
    await inspect.close();
    await vi.waitFor(async () => expect(await textOf("#trouble")).toContain("does not answer"), patience);
  });
});
