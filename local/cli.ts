#!/usr/bin/env node
import { extendHelp, version } from "./launcher/about.ts";
import { run, substitute } from "./launcher/launcher.ts";

/**
 * The `firebase` command with emulators that need no Java: `firebase-local emulators:start --only auth,functions,firestore`.
 * Arguments and firebase.json are those of the official command.
 */
const [first = "help", ...others] = process.argv.slice(2);
const asksFor = (...names: string[]) => names.includes(first) && others.length === 0;

if (asksFor("--version", "-V")) {
  console.log(version());
} else {
  if (asksFor("help", "--help", "-h")) extendHelp();
  await substitute();
  run();
}
