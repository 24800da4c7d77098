import { createServer, type IncomingMessage, type Server } from "node:http";
import cors from "cors";
import express, { type RequestHandler } from "express";
import helmet from "helmet";
import type { Queues } from "../engine/index.ts";
import { BadRequestError, NotFoundError, TooManyRequestsError } from "../errors.ts";
import { addressFault, hasOddHost, normalTarget } from "../platform/request-target.ts";
import { type BoardOptions, boardPath, bullBoard } from "./board/bull-board.ts";
import { type HealthOptions, healthRoutes } from "./health.ts";
import { basePathOf, withoutBase } from "./http/base-path.ts";
import { boundConnections, type ConnectionRules, retrySeconds } from "./http/connections.ts";
import { limitByAddress } from "./http/limit-requests.ts";
import { mount } from "./http/mount.ts";
import { describeApi } from "./http/openapi.ts";
import { problemHandler } from "./http/problem.ts";
import { requestIdOf } from "./http/request-id.ts";
import { createRouter } from "./http/router.ts";
import { sendJson } from "./http/send-result.ts";
import type { ApiContext } from "./http/types.ts";
import { docsRoutes } from "./pages/docs.ts";
import { routes } from "./routes/index.ts";

export interface AppOptions {
  context: ApiContext;
  queues: Queues;
  health: HealthOptions;
  corsOrigins: string[];
  /** Proxies in front that are trusted about the client's address. */
  trustProxy: number;
  /** True when the proxy in front leaves the path of the public URL in its requests. */
  pathIsKept?: boolean;
  connections: ConnectionRules;
  board: BoardOptions;
  /** Where the reference page gets tokens of demo users. */
  demoTokensUrl?: string | undefined;
}

/**
 * A client that sends a byte at intervals holds a connection no longer than this, plus the time between two checks. An
 * idle one is kept longer than a proxy in front keeps it (Traefik: 90 s), or a request could meet its end and be a 502.
 */
const patience = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 95_000,
  connectionsCheckingInterval: 5_000,
};

/** The whole HTTP side, not listening yet; `main.ts` and the tests start the same one. */
export function createApiServer(options: AppOptions): Server {
  const { context } = options;
  const base = basePathOf(context.publicUrl);
  const app = createApp(options, base);
  const server = createServer(patience);
  const clients = { proxies: options.trustProxy, isExempt: context.isExempt };
  const admits = boundConnections(server, options.connections, clients);
  server.on("request", (req, res) => {
    // Routes, response cache, limits, logs and audit rows see only this form.
    req.url = normalTarget(req.url);
    // One form alone, or a rule of the proxy for one path would not cover the other.
    const inner = options.pathIsKept ? withoutBase(req.url, base) : req.url;
    if (inner === undefined) outside.add(req);
    else req.url = inner;
    if (!admits(req, res)) overLimit.add(req);
    else if (inner !== undefined && !hasOddHost(req) && context.answers.serve(context, req, res)) return;
    app(req, res);
  });
  return server;
}

/** Requests that are refused before any route. */
const overLimit = new WeakSet<IncomingMessage>();
/** Requests that are not under the path of `PUBLIC_URL`, where the proxy in front keeps it. */
const outside = new WeakSet<IncomingMessage>();

const refuseOverLimit: RequestHandler = (req, _res, next) => {
  if (!overLimit.has(req)) return next();
  throw new TooManyRequestsError("You have too many requests in flight; wait until some of them end", retrySeconds);
};

function createApp(options: AppOptions, base: string) {
  const { context, queues, health, corsOrigins, trustProxy, board, demoTokensUrl } = options;
  const app = express();
  app.enable("case sensitive routing");
  app.set("etag", false);
  app.set("trust proxy", trustProxy);
  // Of a parameter that comes twice the last one counts; brackets have no meaning.
  app.set("query parser", (query: string) =>
    Object.assign(Object.create(null), Object.fromEntries(new URLSearchParams(query))),
  );
  const limited = limitByAddress(context);
  app.use(nameRequest, hearErrors(context), observe(context), jsonHeaders, refuseOverLimit);
  app.use(refuseOddAddresses(limited), refuseOutside(limited));
  // Probes come every few seconds from all sides, and cost at most one check a second.
  app.use(healthRoutes(health));

  // People open the address that they know; programs get the usual 404.
  app.get("/", limited, (req, res, next) =>
    req.accepts(["json", "html"]) === "html" ? res.redirect(`${base}/docs`) : next(),
  );
  app.use(boardPath, bullBoard(queues, context, board, base));
  app.use("/docs", limited, docsRoutes(base, demoTokensUrl));
  app.use(allowOrigins(corsOrigins));
  app.use(answerPreflight(limited));
  const version = health.version ?? "0.0.0";
  const document = JSON.stringify(describeApi(routes, version, base));
  app.get("/openapi.json", limited, (_req, res) => void res.type("json").send(document));
  app.get("/-/version", limited, (_req, res) => sendJson(res, { version: health.version }));
  app.use("/warehouse", mount(createRouter(), routes, context, "warehouse"));
  app.use(mount(createRouter(), routes, context, "shop"));

  app.use(limited, () => {
    throw new NotFoundError("Not Found");
  });
  app.use(problemHandler(context.log));
  return app;
}

const jsonHeaders = helmet({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  // These are for pages; a JSON answer does not need them.
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** Tells browsers which origins may call; preflights have their own route, which is limited. */
const allowOrigins = (origin: string[]) =>
  cors({
    origin,
    allowedHeaders: [
      "authorization",
      "content-type",
      "accept",
      "api-key",
      "idempotency-key",
      "if-match",
      "if-none-match",
      "prefer",
    ],
    exposedHeaders: [
      "etag",
      "idempotency-replayed",
      "location",
      "ratelimit",
      "ratelimit-policy",
      "retry-after",
      "x-request-id",
    ],
    preflightContinue: true,
    maxAge: 600,
  });

const answerPreflight = (limited: RequestHandler): RequestHandler => {
  return (req, res, next) => {
    if (req.method !== "OPTIONS") return next();
    limited(req, res, (exceeded) =>
      exceeded ? next(exceeded) : res.status(204).setHeader("content-length", "0").end(),
    );
  };
};

/** An ambiguous request is refused unread; it counts like any other. */
const refuseOddAddresses = (limited: RequestHandler): RequestHandler => {
  return (req, res, next) => {
    const fault = addressFault(req);
    if (!fault) return next();
    limited(req, res, (exceeded) => {
      if (exceeded) return next(exceeded);
      next(fault.status === 404 ? new NotFoundError(fault.message) : new BadRequestError(fault.message));
    });
  };
};

const refuseOutside = (limited: RequestHandler): RequestHandler => {
  return (req, res, next) => {
    if (!outside.has(req)) return next();
    limited(req, res, (exceeded) => next(exceeded ?? new NotFoundError("Not Found")));
  };
};

const nameRequest: RequestHandler = (req, res, next) => {
  res.locals.requestId = requestIdOf(req.headers["x-request-id"]);
  res.setHeader("x-request-id", res.locals.requestId);
  next();
};

/** An error of one connection without a listener would end the process, and with it all others. */
const hearErrors = ({ log }: ApiContext): RequestHandler => {
  return (req, res, next) => {
    const hear = (err: Error) => log.debug({ err, request: res.locals.requestId }, "a request broke off");
    req.on("error", hear);
    res.on("error", hear);
    next();
  };
};

const observe = ({ log, metrics }: ApiContext): RequestHandler => {
  return (req, res, next) => {
    const began = performance.now();
    const { ip } = req;
    res.on("close", () => {
      const ms = Math.round(performance.now() - began);
      // Never the path: some contain people's addresses and tokens, and an unknown path may contain anything.
      const route = res.locals.route ?? "other";
      const status = res.writableFinished ? res.statusCode : 499;
      metrics.httpDuration.observe({ method: req.method, route, status }, ms / 1_000);
      const { requestId: request, actor } = res.locals;
      // A client that tries keys has to be found; the address of all others is private.
      const client = status === 401 || status === 429 ? ip : undefined;
      const line = { request, method: req.method, route, status, ms, actor, client };
      // Probes and scrapes come every few seconds; a success is not worth a line.
      if (route === "other" && status < 400 && req.method === "GET") log.debug(line, "request");
      else log.info(line, "request");
    });
    next();
  };
};
