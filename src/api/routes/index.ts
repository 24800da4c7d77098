import type { Route } from "../define-route.ts";
import { categoryRoutes } from "./categories.ts";
import { jobRoutes } from "./jobs.ts";
import { offerSearchRoutes } from "./offer-searches.ts";
import { offerRoutes } from "./offers.ts";
import { productSearchRoutes } from "./product-searches.ts";
import { productRoutes } from "./products.ts";
import { subCategoryRoutes } from "./sub-categories.ts";

/** Every route of the public API; OpenAPI, docs and tests read this list. */
export const routes: readonly Route[] = [
  ...categoryRoutes,
  ...subCategoryRoutes,
  ...productRoutes,
  ...productSearchRoutes,
  ...offerRoutes,
  ...offerSearchRoutes,
  ...jobRoutes,
];
