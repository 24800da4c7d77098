import type { Route } from "../define-route.ts";
import { cartRoutes } from "./carts.ts";
import { categoryRoutes } from "./categories.ts";
import { jobRoutes } from "./jobs.ts";
import { orderOfferRoutes } from "./order-offers.ts";
import { orderRoutes } from "./orders.ts";
import { paymentPageRoutes } from "./payment-pages.ts";
import { paymentRoutes } from "./payments.ts";

/** Every route of the public API; OpenAPI, docs and tests read this list. */
export const routes: readonly Route[] = [
  ...categoryRoutes,
  ...jobRoutes,
  ...orderRoutes,
  ...orderOfferRoutes,
  ...cartRoutes,
  ...paymentRoutes,
  ...paymentPageRoutes,
];
