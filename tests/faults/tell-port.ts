import { Server } from "node:net";

/** Preloaded into a function's process (`node --import`): tells its parent on which port it serves (`{ port }`), which the system has chosen. */
const { listen } = Server.prototype;
Server.prototype.listen = function told(this: Server, ...args: unknown[]) {
  this.once("listening", () => {
    const address = this.address();
    if (address !== null && typeof address === "object") process.send?.({ port: address.port });
  });
  return (listen as (...rest: unknown[]) => Server).apply(this, args);
} as typeof listen;
