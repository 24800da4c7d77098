import type { Route } from "../http/types.ts";
import { addressRoutes } from "./accounts/addresses.ts";
import { personalDataRoutes } from "./accounts/personal-data.ts";
import { userRoutes } from "./accounts/users.ts";
import { auditLogRoutes } from "./audit/audit-log.ts";
import { timelineRoutes } from "./audit/timeline.ts";
import { categoryRoutes } from "./catalogue/categories.ts";
import { imageRoutes } from "./catalogue/images.ts";
import { offerSearchRoutes } from "./catalogue/offer-searches.ts";
import { offerRoutes } from "./catalogue/offers.ts";
import { productSearchRoutes } from "./catalogue/product-searches.ts";
import { productRoutes } from "./catalogue/products.ts";
import { subCategoryRoutes } from "./catalogue/sub-categories.ts";
import { analyticsRoutes } from "./documents/analytics.ts";
import { documentRoutes } from "./documents/documents.ts";
import { feedRoutes } from "./documents/feed.ts";
import { printRoutes } from "./documents/print.ts";
import { mailSuppressionRoutes } from "./mail/mail-suppressions.ts";
import { mailRoutes } from "./mail/mails.ts";
import { jobRoutes } from "./operations/jobs.ts";
import { queueRoutes } from "./operations/queues.ts";
import { cartRoutes } from "./orders/carts.ts";
import { convertRoutes } from "./orders/convert.ts";
import { orderOfferRoutes } from "./orders/order-offers.ts";
import { orderRoutes } from "./orders/orders.ts";
import { balanceRoutes } from "./payments/balance.ts";
import { orderMoneyRoutes } from "./payments/order-money.ts";
import { paymentPageRoutes } from "./payments/payment-pages.ts";
import { paymentRoutes } from "./payments/payments.ts";
import { stockMovementRoutes } from "./stock/stock-movements.ts";
import { waybillOfferRoutes } from "./stock/waybill-offers.ts";
import { waybillRoutes } from "./stock/waybills.ts";
import { webhookEndpointRoutes } from "./webhooks/webhook-endpoints.ts";
import { webhookRoutes } from "./webhooks/webhooks.ts";

/** Every route of the public API; OpenAPI, docs and tests read this list. */
export const routes: readonly Route[] = [
  ...addressRoutes,
  ...analyticsRoutes,
  ...auditLogRoutes,
  ...balanceRoutes,
  ...cartRoutes,
  ...categoryRoutes,
  ...convertRoutes,
  ...documentRoutes,
  ...feedRoutes,
  ...imageRoutes,
  ...jobRoutes,
  // Before the mails, whose recipients would match its paths.
  ...mailSuppressionRoutes,
  ...mailRoutes,
  ...offerSearchRoutes,
  ...offerRoutes,
  ...orderOfferRoutes,
  ...orderRoutes,
  ...orderMoneyRoutes,
  ...paymentPageRoutes,
  ...paymentRoutes,
  ...personalDataRoutes,
  ...printRoutes,
  ...productSearchRoutes,
  ...productRoutes,
  ...queueRoutes,
  ...stockMovementRoutes,
  ...subCategoryRoutes,
  ...timelineRoutes,
  ...userRoutes,
  ...waybillOfferRoutes,
  ...waybillRoutes,
  ...webhookEndpointRoutes,
  ...webhookRoutes,
];
