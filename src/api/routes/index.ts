import type { Route } from "../define-route.ts";
import { addressRoutes } from "./addresses.ts";
import { auditLogRoutes } from "./audit-log.ts";
import { balanceRoutes } from "./balance.ts";
import { categoryRoutes } from "./categories.ts";
import { documentRoutes } from "./documents.ts";
import { feedRoutes } from "./feed.ts";
import { jobRoutes } from "./jobs.ts";
import { mailRoutes } from "./mail.ts";
import { printRoutes } from "./print.ts";
import { userRoutes } from "./users.ts";
import { webhookRoutes } from "./webhooks.ts";

/** Every route of the public API; OpenAPI, docs and tests read this list. */
export const routes: readonly Route[] = [
  ...addressRoutes,
  ...auditLogRoutes,
  ...balanceRoutes,
  ...categoryRoutes,
  ...documentRoutes,
  ...feedRoutes,
  ...jobRoutes,
  ...mailRoutes,
  ...printRoutes,
  ...userRoutes,
  ...webhookRoutes,
];
