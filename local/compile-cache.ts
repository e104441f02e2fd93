import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Imported before a program (`node --import`): what Node makes of its files is kept, so that it starts in half the time from the second time
 * on. Functions, whose files change, are left alone.
 */
enableCompileCache(join(homedir(), ".cache", "firebase", "compiled"));
