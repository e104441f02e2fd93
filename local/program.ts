/** What the programs here that stand in for Google's have in common. */

/**
 * Ends a program as the command line tool that started it wishes: on SIGINT and SIGTERM, and when that tool is gone, since one that is
 * killed with -9 cannot stop what it has started.
 */
export function endWithParent(server: { close(): Promise<unknown> }): void {
  const stop = async () => {
    await server.close();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && void stop(), 1_000).unref();
}

/** An option's text, as `parseArgs` returns it when it is not strict; undefined if the option is absent, empty or without a value. */
export function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
