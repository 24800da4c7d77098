import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../platform/metrics.ts";

export interface ProbeOptions {
  host: string;
  port: number;
  metrics: Metrics;
  /** True while the process takes jobs. */
  isReady: () => boolean;
}

/** Serves `/-/health-checks/liveness`, `/-/health-checks/readiness` and `/metrics`; resolves when it listens. */
export async function startProbes({ host, port, metrics, isReady }: ProbeOptions) {
  const server = createServer(async (req, res) => {
    switch (req.url) {
      case "/-/health-checks/liveness":
        return void res.writeHead(204).end();
      case "/-/health-checks/readiness":
        return void res.writeHead(isReady() ? 204 : 503).end();
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
