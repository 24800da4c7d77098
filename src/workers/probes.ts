import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../platform/metrics.ts";

export interface ProbeOptions {
  host: string;
  port: number;
  metrics: Metrics;
  /** True while the process takes jobs. */
  isReady: () => boolean;
  /** Schedules by name, and whether they have not succeeded for too long: told with `?verbose`, never a reason against. */
  isStale?: () => Promise<Record<string, boolean>>;
}

/** Serves `/-/health-checks/liveness`, `/-/health-checks/readiness` and `/metrics`; resolves when it listens. */
export async function startProbes({ host, port, metrics, isReady, isStale }: ProbeOptions) {
  const server = createServer(async (req, res) => {
    switch (req.url) {
      case "/-/health-checks/liveness":
        return void res.writeHead(204).end();
      case "/-/health-checks/readiness":
        return void res.writeHead(isReady() ? 204 : 503).end();
      case "/-/health-checks/readiness?verbose":
        return void res
          .writeHead(isReady() ? 200 : 503, { "content-type": "application/json" })
          .end(JSON.stringify({ checks: { jobs: isReady() ? "ok" : "not taken", ...(await describeStale(isStale)) } }));
      case "/metrics":
        return void res.setHeader("content-type", metrics.registry.contentType).end(await metrics.registry.metrics());
      default:
        return void res.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function describeStale(isStale: ProbeOptions["isStale"]): Promise<Record<string, string>> {
  const schedules = await isStale?.().catch(() => undefined);
  if (!schedules) return {};
  const stale = Object.keys(schedules).filter((name) => schedules[name]);
  return { schedules: stale.length === 0 ? "ok" : `not succeeded for two periods: ${stale.join(", ")}` };
}
