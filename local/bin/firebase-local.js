#!/usr/bin/env node
import { existsSync } from "node:fs";

// Plain JavaScript, so that a Node that is too old can say so. Node takes no TypeScript from below node_modules: a package holds what was
// built, the repository is run as it is.
const OLDEST_NODE = [22, 12];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(`firebase-local needs Node.js ${OLDEST_NODE.join(".")} or newer; this is ${process.version}.`);
  process.exit(1);
}
const isSource = existsSync(new URL("../cli.ts", import.meta.url));
const module = (name) => new URL(isSource ? `../${name}.ts` : `../dist/${name}.js`, import.meta.url).href;
await import(module("compile-cache"));
await import(module("cli"));
