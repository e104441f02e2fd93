import { action } from "../platform/endpoint.ts";
import { assign, note } from "./annotate.ts";
import { settings } from "./configure.ts";
import {
  AssignedReview,
  AssignReview,
  DecidedReview,
  DecideReview,
  FraudSettings,
  FraudSettingsRequest,
  NotedReview,
  NoteReview,
  Queue,
  QueueRequest,
} from "./contract.ts";
import { approve, reject } from "./decide.ts";
import { queue } from "./queue.ts";

export const admin = {
  settings: action({ access: "admin", input: FraudSettingsRequest, output: FraudSettings, run: settings }),
  queue: action({ access: "admin", input: QueueRequest, output: Queue, run: queue }),
  approve: action({ access: "admin", input: DecideReview, output: DecidedReview, run: approve }),
  reject: action({ access: "admin", input: DecideReview, output: DecidedReview, run: reject }),
  note: action({ access: "admin", input: NoteReview, output: NotedReview, run: note }),
  assign: action({ access: "admin", input: AssignReview, output: AssignedReview, run: assign }),
};
