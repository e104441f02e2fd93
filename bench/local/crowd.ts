import { connect } from "./program.ts";

/** Streams that one HTTP/2 connection of the client carries. */
export const STREAMS_OF_A_CONNECTION = 100;

/** Milliseconds on a clock that processes share. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Listens to a document with the official client, as often as the crowd is large. Returns the way to stop. */
export function listenOfficially(port: number, path: string, crowd: number, heard: () => void): () => Promise<void> {
  const clients = Array.from({ length: Math.ceil(crowd / STREAMS_OF_A_CONNECTION) }, () => connect(port));
  const stops = Array.from({ length: crowd }, (_, i) => clients[i % clients.length]?.doc(path).onSnapshot(heard));
  return async () => {
    for (const stop of stops) stop?.();
    await Promise.all(clients.map((client) => client.terminate()));
  };
}
