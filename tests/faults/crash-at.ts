import http2 from "node:http2";

/**
 * Preloaded into a function's process (`node --import`): ends it, as kill -9 does, at its n-th call of Firestore, before the call is
 * sent or after it was answered. CRASH_AT names the call, CRASH_WHEN the side.
 */
const at = Number(process.env.CRASH_AT ?? "0");
const when = process.env.CRASH_WHEN ?? "before";
let calls = 0;

const connect = http2.connect.bind(http2);
Object.assign(http2, {
  connect: (...args: Parameters<typeof http2.connect>) => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers = {}, options) => {
      const path = String((headers as http2.OutgoingHttpHeaders)[":path"] ?? "");
      const isCall = path.startsWith("/google.firestore.v1.Firestore/");
      if (isCall) calls++;
      const isTheOne = isCall && calls === at;
      if (isTheOne && when === "before") process.kill(process.pid, "SIGKILL");
      const stream = request(headers, options);
      if (isTheOne) stream.prependListener("response", () => process.kill(process.pid, "SIGKILL"));
      return stream;
    };
    return session;
  },
});
