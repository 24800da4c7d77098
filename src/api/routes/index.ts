import type { Route } from "../define-route.ts";
import { addressRoutes } from "./addresses.ts";
import { analyticsRoutes } from "./analytics.ts";
import { auditLogRoutes } from "./audit-log.ts";
import { balanceRoutes } from "./balance.ts";
import { cartRoutes } from "./carts.ts";
import { categoryRoutes } from "./categories.ts";
import { convertRoutes } from "./convert.ts";
import { documentRoutes } from "./documents.ts";
import { feedRoutes } from "./feed.ts";
import { imageRoutes } from "./images.ts";
import { jobRoutes } from "./jobs.ts";
import { mailRoutes } from "./mail.ts";
import { mailSuppressionRoutes } from "./mail-suppressions.ts";
import { offerSearchRoutes } from "./offer-searches.ts";
import { offerRoutes } from "./offers.ts";
import { orderOfferRoutes } from "./order-offers.ts";
import { orderRoutes } from "./orders.ts";
import { paymentPageRoutes } from "./payment-pages.ts";
import { paymentRoutes } from "./payments.ts";
import { personalDataRoutes } from "./personal-data.ts";
import { printRoutes } from "./print.ts";
import { productSearchRoutes } from "./product-searches.ts";
import { productRoutes } from "./products.ts";
import { queueRoutes } from "./queues.ts";
import { stockMovementRoutes } from "./stock-movements.ts";
import { subCategoryRoutes } from "./sub-categories.ts";
import { timelineRoutes } from "./timeline.ts";
import { userRoutes } from "./users.ts";
import { waybillOfferRoutes } from "./waybill-offers.ts";
import { waybillRoutes } from "./waybills.ts";
import { webhookEndpointRoutes } from "./webhook-endpoints.ts";
import { webhookRoutes } from "./webhooks.ts";

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
