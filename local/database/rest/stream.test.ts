import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { NAMESPACE, useDatabase } from "../harness.ts";

const harness = useDatabase();

/** What an event stream has sent so far. */
async function follow(path: string): Promise<{ readonly text: string; readonly ended: boolean }> {
  const received = { text: "", ended: false };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(
      `http://127.0.0.1:${harness.server.port}${path}${path.includes("?") ? "&" : "?"}ns=${NAMESPACE}`,
      { headers: { accept: "text/event-stream" } },
      resolve,
    );
    request.once("error", reject);
    onTestFinished(() => void request.destroy());
    request.end();
  });
  response.on("data", (chunk: Buffer) => {
    received.text += chunk.toString("utf8");
  });
  response.once("end", () => {
    received.ended = true;
  });
  return received;
}

describe("an event stream", () => {
  test("tells what stands there and then what is put and patched", async () => {
    await harness.http("PUT", "/room.json", { a: 1 });
    const followed = await follow("/room.json");
    await harness.http("PUT", "/room/b/c.json", '"x"');
    await harness.http("PATCH", "/room.json", { a: 2, "b/d": true });
    await harness.http("PUT", "/elsewhere.json", 1);
    await harness.http("DELETE", "/.json");
    const events = [
      'event: put\ndata: {"path":"/","data":{"a":1}}\n\n',
      'event: put\ndata: {"path":"/b/c","data":"x"}\n\n',
      'event: patch\ndata: {"path":"/","data":{"a":2,"b/d":true}}\n\n',
      'event: put\ndata: {"path":"/","data":null}\n\n',
    ];
    await vi.waitFor(() => expect(followed.text).toBe(events.join("")));
  });

  test("follows a query", async () => {
    await harness.http("PUT", "/list.json", { a: 1, b: 2 });
    const followed = await follow('/list.json?orderBy="$key"&limitToFirst=2');
    await harness.http("PUT", "/list/A.json", 0);
    await vi.waitFor(() =>
      expect(followed.text).toBe(
        'event: put\ndata: {"path":"/","data":{"a":1,"b":2}}\n\nevent: patch\ndata: {"path":"/","data":{"b":null,"A":0}}\n\n',
      ),
    );
  });

  test("is cancelled when rules take it back, and counts as a connection until it ends", async () => {
    const followed = await follow("/room.json");
    expect(harness.database.usage.total).toMatchObject({ connections: 1, peakConnections: 1 });
    await harness.rules({ ".read": false });
    await vi.waitFor(() => expect(followed.ended).toBe(true));
    expect(followed.text).toContain("event: cancel\ndata: null\n\n");
    expect(harness.database.usage.total.connections).toBe(0);
  });
});
