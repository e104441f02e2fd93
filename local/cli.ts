#!/usr/bin/env node
import { run, substitute } from "./launcher.ts";

/**
 * The `firebase` command with emulators that need no Java: `firebase-local emulators:start --only auth,functions,firestore`.
 * Arguments and firebase.json are those of the official command.
 */
await substitute();
run();
