import type { Route } from "../define-route.ts";
import { categoryRoutes } from "./categories.ts";
import { documentRoutes } from "./documents.ts";
import { feedRoutes } from "./feed.ts";
import { jobRoutes } from "./jobs.ts";
import { mailRoutes } from "./mail.ts";
import { printRoutes } from "./print.ts";

/** Every route of the public API; OpenAPI, docs and tests read this list. */
export const routes: readonly Route[] = [
  ...categoryRoutes,
  ...documentRoutes,
  ...feedRoutes,
  ...jobRoutes,
  ...mailRoutes,
  ...printRoutes,
];
