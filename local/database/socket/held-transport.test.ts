import { expect, test } from "vitest";
import { temporary } from "../../durability/harness.ts";
import { Keeper } from "../durability/kept.ts";
import { Node } from "../model/node.ts";
import { HeldTransport } from "./held-transport.ts";
import type { Transport } from "./transport.ts";

/** Notes what is sent over it. */
class Line implements Transport {
  readonly sent: string[] = [];
  readonly isOpen = true;
  readonly waitingBytes = 0;
  open(): void {}
  send(message: string): number {
    return this.sent.push(message);
  }
  finish(): void {
    this.sent.push("finished");
  }
  destroy(): void {
    this.sent.push("destroyed");
  }
}

test("what is said while a write is on its way to disk comes after it, in its order, and then the end", async () => {
  const keeper = new Keeper();
  const databases = { database: () => ({ root: Node.EMPTY }), roots: () => new Map<string, Node>() };
  await keeper.open({ directory: temporary() }, databases, () => undefined);
  const line = new Line();
  const held = new HeldTransport(line, keeper);
  held.send("before");
  expect(line.sent).toEqual(["before"]);
  keeper.append("one", [{ path: ["a"], before: Node.EMPTY, after: Node.ofLeaf(1) }]);
  held.send("first");
  await new Promise((resolve) => setImmediate(resolve));
  keeper.append("one", [{ path: ["a"], before: Node.EMPTY, after: Node.ofLeaf(2) }]);
  held.send("second");
  held.finish();
  expect(line.sent).toEqual(["before"]);
  expect(held.waitingBytes).toBe("firstsecond".length);
  await keeper.settled();
  expect(line.sent).toEqual(["before", "first", "second", "finished"]);
  await keeper.close();
});
