import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join, normalize } from "node:path";

/** For tests: a page with the Firebase SDK as it is published, and no bundler. */

const MODULES = dirname(dirname(createRequire(import.meta.url).resolve("firebase/package.json")));
const FIRESTORE = "@firebase/firestore/dist/index.esm.js";
const IMPORTS = {
  "firebase/app": "firebase/app/dist/esm/index.esm.js",
  "firebase/firestore": "firebase/firestore/dist/esm/index.esm.js",
  "@firebase/app": "@firebase/app/dist/esm/index.esm.js",
  "@firebase/component": "@firebase/component/dist/esm/index.esm.js",
  "@firebase/firestore": FIRESTORE,
  "@firebase/logger": "@firebase/logger/dist/esm/index.esm.js",
  "@firebase/util": "@firebase/util/dist/index.esm.js",
  "@firebase/webchannel-wrapper/bloom-blob": "@firebase/webchannel-wrapper/dist/bloom-blob/esm/bloom_blob_es2018.js",
  "@firebase/webchannel-wrapper/webchannel-blob":
    "@firebase/webchannel-wrapper/dist/webchannel-blob/esm/webchannel_blob_es2018.js",
  idb: "idb/build/index.js",
  re2js: "re2js/build/index.js",
};
const imports = Object.fromEntries(Object.entries(IMPORTS).map(([name, path]) => [name, `/modules/${path}`]));
const PAGE = `<!doctype html>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script>
globalThis.ready = Promise.all([import("firebase/app"), import("firebase/firestore")]).then(([app, firestore]) => {
  globalThis.sdk = { ...app, ...firestore };
});
</script>`;

/** The file of the browser's build of Firestore. */
export const FIRESTORE_FILE = join(MODULES, FIRESTORE);

export interface Page {
  readonly url: string;
  close(): void;
}

export async function servePage(): Promise<Page> {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURI(request.url ?? "/"));
    if (path === "/") return void response.setHeader("content-type", "text/html").end(PAGE);
    if (!path.startsWith("/modules/")) return void response.writeHead(404).end();
    const content = await readFile(join(MODULES, path.slice("/modules/".length)), "utf8").catch(() => undefined);
    if (content === undefined) response.writeHead(404).end();
    else response.setHeader("content-type", "text/javascript").end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
