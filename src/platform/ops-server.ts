import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { within } from "./abort.ts";
import { listen } from "./listen.ts";
import type { Log } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { type Checks, failing } from "./probes.ts";
import { addressFault, normalTarget } from "./request-target.ts";

/** A scaler that has to wait longer than this would have given up. */
const answerMs = 2_500;

export interface OpsOptions {
  host: string;
  port: number;
  metrics: Pick<Metrics, "registry">;
  log: Log;
  /** What is wrong with the process itself; asks no dependency. */
  liveness: () => Checks;
  readiness: {
    checks: () => Promise<Checks>;
    /** Checks that have to be ok; the others are only reported. */
    required: readonly string[];
  };
  /** Queues that can be asked about. */
  queues: readonly string[];
  /** How many workers a queue needs, as JSON. */
  explain: (queue: string) => Promise<object>;
  /** The bearer token that a scaler has to send; absent: no token is needed. */
  token?: string | undefined;
}

/**
 * Serves operators' machines on a port of its own, which belongs on no ingress: `/livez`, `/readyz`,
 * `/metrics`, `/desired-workers/<queue>`. Resolves when it listens; throws as `listen` does.
 */
export async function startOpsServer(options: OpsOptions) {
  const server = createServer((req, res) => {
    answer(options, req, res).catch((error: unknown) => {
      options.log.warn({ err: error }, "an operator's question was not answered");
      if (!res.headersSent) send(res, 500, { detail: "The request failed; the log says why" });
    });
  });
  const { host, port, log } = options;
  const advice = "Stop that one, or set OPS_PORT to a free port.";
  return {
    port: await listen(server, { host, port, advice, log }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(options: OpsOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  req.url = normalTarget(req.url);
  const fault = addressFault(req);
  if (fault) return send(res, fault.status, { detail: fault.message });
  const { pathname, searchParams } = new URL(req.url, "http://ops");
  if (req.method !== "GET" && req.method !== "HEAD") return send(res, 405, { detail: "Only GET is allowed here" });
  switch (pathname) {
    case "/livez":
    case "/-/health-checks/liveness": {
      // A loop that hangs does not get here: the time-out of the probe finds it.
      const checks = { "event loop": "ok", ...options.liveness() };
      return send(res, failing(checks).length > 0 ? 503 : 200, { checks });
    }
    case "/readyz":
    case "/-/health-checks/readiness": {
      const checks = await options.readiness.checks();
      const bad = failing(checks, searchParams.get("require")?.split(",") ?? options.readiness.required);
      if (bad.length > 0) return send(res, 503, { detail: `Not ready: ${bad.join(", ")}`, checks });
      return send(res, 200, { checks });
    }
    case "/metrics": {
      const { registry } = options.metrics;
      const text = await registry.metrics();
      return void res.writeHead(200, { "content-type": registry.contentType }).end(text);
    }
    default:
      return answerWorkers(options, pathname, req, res);
  }
}

/** Never 0 for "unknown": that would stop all workers. */
async function answerWorkers(
  { queues, explain, token, log }: OpsOptions,
  path: string,
  req: IncomingMessage,
  res: ServerResponse,
) {
  const name = /^\/desired-workers\/([^/]+)$/.exec(path)?.[1];
  if (name === undefined) return send(res, 404, { detail: `There is no '${path}' here` });
  if (token !== undefined && !isBearer(req.headers.authorization, token))
    return send(res, 401, { detail: "Send AUTOSCALER_TOKEN as bearer" }, { "www-authenticate": "Bearer" });
  if (!queues.includes(name))
    return send(res, 404, { detail: `There is no queue '${name}'; there are ${queues.join(", ")}` });
  try {
    send(res, 200, await within(answerMs, explain(name)));
  } catch (error) {
    log.warn({ err: error, queue: name }, "the number of workers needed is unknown");
    const detail = "Redis or Postgres does not answer, so the number is unknown; keep the present workers";
    send(res, 503, { detail }, { "retry-after": "5" });
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest();

function isBearer(header: string | undefined, token: string) {
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

function send(res: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) {
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  res.end(`${JSON.stringify(body)}\n`);
}
