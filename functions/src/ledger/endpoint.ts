import { action } from "../platform/endpoint.ts";
import {
  Adjusted,
  AdjustRequest,
  Credited,
  CreditRequest,
  FreezeRequest,
  Frozen,
  History,
  HistoryRequest,
  HotAccount,
  HotRequest,
  Reversed,
  ReverseRequest,
  Statement,
  StatementRequest,
  TransferRequest,
  Transferred,
  VerifyReport,
  VerifyRequest,
  Wallet,
  WalletRequest,
} from "./contract.ts";
import { history } from "./history.ts";
import { adjustByHand, creditByHand, freezeByHand, hotByHand, reverseByHand, verifyBooks } from "./operate.ts";
import { statement } from "./statement.ts";
import { transfer } from "./transfer.ts";
import { wallet } from "./wallet.ts";

export const api = {
  wallet: action({ access: "user", input: WalletRequest, output: Wallet, run: wallet }),
  transfer: action({ access: "user", input: TransferRequest, output: Transferred, run: transfer }),
  history: action({ access: "user", input: HistoryRequest, output: History, run: history }),
  statement: action({ access: "user", input: StatementRequest, output: Statement, run: statement }),
};

export const admin = {
  verify: action({ access: "admin", input: VerifyRequest, output: VerifyReport, run: verifyBooks }),
  credit: action({ access: "admin", input: CreditRequest, output: Credited, run: creditByHand }),
  hot: action({ access: "admin", input: HotRequest, output: HotAccount, run: hotByHand }),
  reverse: action({ access: "admin", input: ReverseRequest, output: Reversed, run: reverseByHand }),
  freeze: action({ access: "admin", input: FreezeRequest, output: Frozen, run: freezeByHand }),
  adjust: action({ access: "admin", input: AdjustRequest, output: Adjusted, run: adjustByHand }),
};
