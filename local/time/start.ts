import { rmSync, writeFileSync } from "node:fs";
import type { SuiteClock } from "./clock.ts";
import { startTimeControl, type TimeControl } from "./control.ts";
import { keepFollowers } from "./followers.ts";
import { Scheduler } from "./scheduler.ts";

export interface TimeOptions {
  readonly clock: SuiteClock;
  /** `host:port` of the functions emulator. */
  readonly functionsHost: string;
  /** Addresses that are told of each change of the clock. */
  readonly followers: readonly string[];
  /** Where the clock is written down for processes that cannot be told; see {@link keepFile}. */
  readonly file: string | undefined;
  /** Of the HTTP face. */
  readonly port: number;
  readonly report: (message: string) => void;
}

/** Lets schedules tick, other servers follow the clock, and whoever wants to set it. */
export async function startTime({
  clock,
  functionsHost,
  followers,
  file,
  port,
  report,
}: TimeOptions): Promise<TimeControl> {
  const scheduler = new Scheduler({ clock, functionsHost, report });
  const control = await startTimeControl({ clock, scheduler, port });
  const letGo = keepFollowers({ clock, urls: followers, report });
  const forget = file === undefined ? () => undefined : keepFile(clock, file);
  await scheduler.start();
  return {
    port: control.port,
    close: async () => {
      scheduler.stop();
      letGo();
      forget();
      await control.close();
    },
  };
}

/** Keeps a file with the clock's state as JSON, `{"offset": ms}` or `{"frozenAt": ms}`; there is none while it is real time. */
function keepFile(clock: SuiteClock, file: string): () => void {
  // One that was killed may have left its own.
  rmSync(file, { force: true });
  const forget = clock.onChange(({ offset, frozenAt }) => {
    if (offset === 0 && frozenAt === undefined) rmSync(file, { force: true });
    else writeFileSync(file, JSON.stringify(frozenAt === undefined ? { offset } : { frozenAt }));
  });
  return () => {
    forget();
    rmSync(file, { force: true });
  };
}
