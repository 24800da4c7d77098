import type { Route } from "../define-route.ts";
import { analyticsRoutes } from "./analytics.ts";
import { categoryRoutes } from "./categories.ts";
import { convertRoutes } from "./convert.ts";
import { jobRoutes } from "./jobs.ts";
import { stockMovementRoutes } from "./stock-movements.ts";
import { waybillOfferRoutes } from "./waybill-offers.ts";
import { waybillRoutes } from "./waybills.ts";

/** Every route of the public API; OpenAPI, docs and tests read this list. */
export const routes: readonly Route[] = [
  ...categoryRoutes,
  ...convertRoutes,
  ...waybillRoutes,
  ...waybillOfferRoutes,
  ...stockMovementRoutes,
  ...analyticsRoutes,
  ...jobRoutes,
];
