import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that takes whatever it is sent and always answers with the same JSON, which it is told first: what node:http by itself can do here. */
const [body] = (await once(process, "message")) as [string];
const bytes = Buffer.from(body);
const headers = { "content-type": "application/json; charset=utf-8", "content-length": bytes.length };
const server = createServer((request, response) => {
  request.resume();
  request.once("end", () => response.writeHead(200, headers).end(bytes));
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
