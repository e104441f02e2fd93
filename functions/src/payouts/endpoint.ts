import { action } from "../platform/endpoint.ts";
import {
  CancelRequest,
  Corrections,
  CorrectRequest,
  Differences,
  DifferencesRequest,
  Flagged,
  FlagRequest,
  Onboarding,
  OnboardRequest,
  Operated,
  OperatorRequest,
  PayoutAccountRequest,
  PayoutAccountView,
  Queue,
  QueueRequest,
  Reconciled,
  ReconcileRequest,
  Withdrawals,
  WithdrawalsRequest,
  WithdrawalView,
  WithdrawRequest,
} from "./contract.ts";
import { onboard, payoutAccount } from "./onboard.ts";
import { correct, listDifferences } from "./reconcile/correct.ts";
import { reconcile } from "./reconcile/run.ts";
import { addNote, approve, flag, queue, reject, retryWithdrawal } from "./review.ts";
import { cancel, listWithdrawals, withdraw } from "./withdraw.ts";

export const pay = {
  onboard: action({ access: "user", input: OnboardRequest, output: Onboarding, run: onboard }),
  account: action({ access: "user", input: PayoutAccountRequest, output: PayoutAccountView, run: payoutAccount }),
  withdraw: action({ access: "user", input: WithdrawRequest, output: WithdrawalView, run: withdraw }),
  cancel: action({ access: "user", input: CancelRequest, output: WithdrawalView, run: cancel }),
  list: action({ access: "user", input: WithdrawalsRequest, output: Withdrawals, run: listWithdrawals }),
};

export const admin = {
  queue: action({ access: "admin", input: QueueRequest, output: Queue, run: queue }),
  approve: action({ access: "admin", input: OperatorRequest, output: Operated, run: approve }),
  reject: action({ access: "admin", input: OperatorRequest, output: Operated, run: reject }),
  note: action({ access: "admin", input: OperatorRequest, output: Operated, run: addNote }),
  retry: action({ access: "admin", input: OperatorRequest, output: Operated, run: retryWithdrawal }),
  flag: action({ access: "admin", input: FlagRequest, output: Flagged, run: flag }),
  reconcile: action({ access: "admin", input: ReconcileRequest, output: Reconciled, run: reconcile }),
  differences: action({ access: "admin", input: DifferencesRequest, output: Differences, run: listDifferences }),
  correct: action({ access: "admin", input: CorrectRequest, output: Corrections, run: correct }),
};
