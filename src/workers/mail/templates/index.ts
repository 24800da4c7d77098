import type { MailKindName } from "../../../jobs/mail-kinds.ts";
import type { TemplateDefinition } from "./define-template.ts";
import { documentReady } from "./document-ready.ts";
import { lowStock } from "./low-stock.ts";
import { orderReceived } from "./order-received.ts";
import { orderReceivedStaff } from "./order-received-staff.ts";
import { orderStatus } from "./order-status.ts";
import { ordersReceivedStaff } from "./orders-received-staff.ts";
import { paymentReceived } from "./payment-received.ts";
import { paymentRefunded } from "./payment-refunded.ts";
import { paymentUnmatched, paymentUnmatchedStaff } from "./payment-unmatched.ts";
import { priceList } from "./price-list.ts";
import { verifyEmail } from "./verify-email.ts";
import { waybillCommitted } from "./waybill-committed.ts";
import { welcome } from "./welcome.ts";

/** The template of each kind of mail; a missing one does not compile. */
export const templates = {
  welcome,
  "verify-email": verifyEmail,
  "order-received": orderReceived,
  "order-received-staff": orderReceivedStaff,
  "orders-received-staff": ordersReceivedStaff,
  "order-status": orderStatus,
  "waybill-committed": waybillCommitted,
  "price-list": priceList,
  "payment-received": paymentReceived,
  "payment-unmatched": paymentUnmatched,
  "payment-unmatched-staff": paymentUnmatchedStaff,
  "payment-refunded": paymentRefunded,
  "low-stock": lowStock,
  "document-ready": documentReady,
  // biome-ignore lint/suspicious/noExplicitAny: each kind has data of its own.
} as const satisfies Record<MailKindName, TemplateDefinition<any>>;
