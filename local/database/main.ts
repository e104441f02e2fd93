import { parseArgs } from "node:util";
import { endWithParent, fail, text } from "../program.ts";
import { startDatabase } from "./server.ts";

/**
 * The program that stands in for Google's Realtime Database emulator, with the same command line:
 *
 *     node local/database/main.ts --host 127.0.0.1 --port 9000 --functions_emulator_host 127.0.0.1 --functions_emulator_port 5001 --data .data/database
 */
const { values } = parseArgs({
  strict: false,
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "9000" },
    single_project_mode: { type: "string" },
    functions_emulator_host: { type: "string" },
    functions_emulator_port: { type: "string" },
    data: { type: "string" },
  },
});

const functionsHost = text(values.functions_emulator_host);
const functionsPort = text(values.functions_emulator_port);
const directory = text(values.data);
const server = await startDatabase({
  host: text(values.host) ?? "127.0.0.1",
  port: Number(text(values.port)),
  ...(directory ? { data: { directory } } : {}),
  functionsHost: functionsHost && functionsPort ? `${functionsHost}:${functionsPort}` : undefined,
}).catch((error: Error) => fail(error.message));
console.log(`Realtime Database is listening on ${server.host}:${server.port}`);
endWithParent(server);
