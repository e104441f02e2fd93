import { action } from "../platform/endpoint.ts";
import { History, HistoryRequest, Wallet, WalletRequest } from "./contract.ts";
import { history } from "./history.ts";
import { wallet } from "./wallet.ts";

export const api = {
  wallet: action({ access: "user", input: WalletRequest, output: Wallet, run: wallet }),
  history: action({ access: "user", input: HistoryRequest, output: History, run: history }),
};
