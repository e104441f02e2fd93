import { action } from "../platform/endpoint.ts";
import { MarkedRead, Notices, NoticesRequest, ReadRequest } from "./contract.ts";
import { listNotices, markRead } from "./inbox.ts";

export const api = {
  list: action({ access: "user", input: NoticesRequest, output: Notices, run: listNotices }),
  read: action({ access: "user", input: ReadRequest, output: MarkedRead, run: markRead }),
};
