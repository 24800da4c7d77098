import { askProbes, failing, type Probe } from "../platform/probes.ts";
import { createRouter } from "./http/router.ts";
import { sendJson } from "./http/send-result.ts";

export interface HealthOptions {
  /** Dependencies by their names for operators. */
  probes: Record<string, Probe>;
  version: string | null;
  isStopping: () => boolean;
}

/**
 * Liveness checks only the process itself: a restart repairs no database. Readiness checks every dependency; 204 when
 * all answer, else 503 that names each one. `?verbose` names them in both cases; with `?require=postgres` (comma
 * separated) only those decide.
 */
export function healthRoutes({ probes, isStopping }: Omit<HealthOptions, "version">) {
  const askAll = askProbes(probes);
  const router = createRouter();
  router.get("/-/health-checks/liveness", (_req, res) => void res.status(204).end());
  router.get("/-/health-checks/readiness", async (req, res) => {
    const checks = { ...(await askAll()), ...(isStopping() && { process: "stopping" }) };
    const required = typeof req.query.require === "string" ? [...req.query.require.split(","), "process"] : undefined;
    const bad = failing(checks, required);
    if (bad.length > 0) {
      const detail = `Not ready: ${bad.join(", ")}`;
      res.status(503).set("retry-after", "5");
      return sendJson(res, { detail, message: detail, checks });
    }
    if (req.query.verbose === undefined) return void res.status(204).end();
    sendJson(res, { checks });
  });
  return router;
}
