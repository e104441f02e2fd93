import { action } from "../platform/endpoint.ts";
import { defineProduct } from "./catalog.ts";
import { DefinedProduct, DefineProduct, Reconcile, Reconciled, Synced, SyncRequest } from "./contract.ts";
import { acceptGift, declineGift } from "./gifts/answer.ts";
import { Answered, AnswerRequest, GiftRequest, Gifts, GiftsRequest, Given } from "./gifts/contract.ts";
import { give } from "./gifts/give.ts";
import { listGifts } from "./gifts/inbox.ts";
import {
  DefinedPromo,
  DefinePromo,
  GenerateCodes,
  GeneratedCodes,
  Redeemed,
  RedeemRequest,
} from "./promos/contract.ts";
import { definePromo, generateCodes } from "./promos/define.ts";
import { redeem } from "./promos/redeem.ts";
import { ReceiptRequest, ReceiptView } from "./receipts/contract.ts";
import { receipt } from "./receipts/receipt.ts";
import { reconcileByHand } from "./revenuecat/reconcile.ts";
import { buy } from "./shop/buy.ts";
import {
  Bought,
  BuyRequest,
  Hot,
  HotRequest,
  Products,
  ProductsRequest,
  Purchases,
  PurchasesRequest,
} from "./shop/contract.ts";
import { hot } from "./shop/hot.ts";
import { products } from "./shop/products.ts";
import { listPurchases } from "./shop/purchases.ts";
import { changeSubscription } from "./stripe/change.ts";
import { checkout } from "./stripe/checkout.ts";
import {
  ChangedSubscription,
  Checkout,
  CheckoutRequest,
  Portal,
  PortalRequest,
  Refunded,
  RefundRequest,
  SubscriptionRequest,
  TopUp,
  TopUpRequest,
} from "./stripe/contract.ts";
import { portal } from "./stripe/portal.ts";
import { refund } from "./stripe/refund.ts";
import { topUp } from "./stripe/top-up.ts";
import { sync } from "./sync.ts";

export const api = {
  buy: action({ access: "user", input: BuyRequest, output: Bought, run: buy }),
  products: action({ access: "user", input: ProductsRequest, output: Products, run: products }),
  hot: action({ access: "user", input: HotRequest, output: Hot, run: hot }),
  purchases: action({ access: "user", input: PurchasesRequest, output: Purchases, run: listPurchases }),
  receipt: action({ access: "user", input: ReceiptRequest, output: ReceiptView, run: receipt }),
  redeem: action({ access: "user", input: RedeemRequest, output: Redeemed, run: redeem }),
  gift: action({ access: "user", input: GiftRequest, output: Given, run: give }),
  gifts: action({ access: "user", input: GiftsRequest, output: Gifts, run: listGifts }),
  acceptGift: action({ access: "user", input: AnswerRequest, output: Answered, run: acceptGift }),
  declineGift: action({ access: "user", input: AnswerRequest, output: Answered, run: declineGift }),
};

export const pay = {
  sync: action({ access: "user", input: SyncRequest, output: Synced, run: sync }),
  checkout: action({ access: "user", input: CheckoutRequest, output: Checkout, run: checkout }),
  topUp: action({ access: "user", input: TopUpRequest, output: TopUp, run: topUp }),
  portal: action({ access: "user", input: PortalRequest, output: Portal, run: portal }),
  subscription: action({
    access: "user",
    input: SubscriptionRequest,
    output: ChangedSubscription,
    run: changeSubscription,
  }),
};

export const admin = {
  reconcile: action({ access: "admin", input: Reconcile, output: Reconciled, run: reconcileByHand }),
  define: action({ access: "admin", input: DefineProduct, output: DefinedProduct, run: defineProduct }),
  definePromo: action({ access: "admin", input: DefinePromo, output: DefinedPromo, run: definePromo }),
  generateCodes: action({ access: "admin", input: GenerateCodes, output: GeneratedCodes, run: generateCodes }),
  refund: action({ access: "admin", input: RefundRequest, output: Refunded, run: refund }),
};
