import { AsyncLocalStorage } from "node:async_hooks";
import { createBullBoard } from "@bull-board/api";
import { ExpressAdapter } from "@bull-board/express";
import express, { type Request, type RequestHandler, type Response, Router } from "express";
import type { EntityManager } from "typeorm";
import { validate as isUuid } from "uuid";
import { jobRows } from "../../db/dao/jobs.ts";
import { queuePauses } from "../../db/dao/queue-pauses.ts";
import { findJob } from "../../db/ledger.ts";
import { ForbiddenError, NotFoundError, UnauthorizedError, UnavailableError } from "../../errors.ts";
import type { QueuedData } from "../../jobs/dispatch.ts";
import { type QueueName, queues as settings } from "../../jobs/queues.ts";
import { applyPauses } from "../../platform/apply-pauses.ts";
import type { Queues } from "../../platform/queues.ts";
import { recordAudit } from "../../services/audit.ts";
import { cancelJob, retryJob } from "../../services/job-control.ts";
import { requireRole } from "../authenticate.ts";
import type { Actor, ApiContext } from "../context.ts";
import { pageHeaders } from "../page-headers.ts";
import { jobView } from "../views/job.ts";
import { jobPage } from "./job-page.ts";
import { LedgerAdapter, type Steer } from "./ledger-adapter.ts";
import { loginPage } from "./login-page.ts";

/** Where the board is served. */
export const boardPath = "/admin/queues";

const cookieName = "tcf_board";

/**
 * Bull Board for staff: EMPLOYEE looks, ADMIN acts, nobody else gets in. A person logs in with an access token, which
 * a cookie keeps that no script can read and no other site can send; a program sends it as a bearer token.
 */
export function bullBoard(queues: Queues, context: ApiContext) {
  const router = Router();
  router.use(pageHeaders());
  router.use((_req, res, next) => {
    res.setHeader("cache-control", "no-store");
    next();
  });
  router.use(refuseOtherSites);
  router.get("/login", (_req, res) => void res.type("html").send(loginPage()));
  router.post("/login", express.urlencoded({ extended: false, limit: "20kb" }), login(context));
  router.post("/logout", (_req, res) => void res.clearCookie(cookieName, { path: boardPath }).redirect(303, loginPath));

  const acting = new AsyncLocalStorage<Actor>();
  const steer = steering(context, queues, acting);
  const boards = { ADMIN: board(queues, steer, false), EMPLOYEE: board(queues, steer, true) };
  router.use("/ledger", express.urlencoded({ extended: false, limit: "20kb" }));
  router.use(async (req, res, next) => {
    const actor = await admit(req, context).catch((error: unknown) => {
      if (!isPageView(req) || !(error instanceof UnauthorizedError)) throw error;
    });
    if (!actor) return void res.redirect(303, loginPath);
    res.locals.actor = actor.id;
    if (!["GET", "HEAD"].includes(req.method)) auditWhenDone(req, res, context, actor);
    if (req.path.startsWith("/ledger/")) return serveLedger(req, res, context, actor);
    if (!queues.isUp())
      throw new UnavailableError("Redis cannot be reached; the state of jobs is at /jobs/{id} meanwhile");
    acting.run(actor, () => boards[actor.role === "ADMIN" ? "ADMIN" : "EMPLOYEE"](req, res, next));
  });
  return router;
}

const loginPath = `${boardPath}/login`;

function board(queues: Queues, steer: Steer, readOnlyMode: boolean): RequestHandler {
  const serverAdapter = new ExpressAdapter().setBasePath(boardPath);
  const adapters = Object.entries(queues.byName).map(([name, queue]) => {
    const { description } = settings[name as QueueName];
    const externalJobUrl = ({ data }: { data?: unknown }) => ({
      displayText: "Ledger",
      href: `${boardPath}/ledger/${(data as QueuedData | undefined)?.id}`,
    });
    return new LedgerAdapter(queue, { readOnlyMode, description, externalJobUrl }, steer);
  });
  createBullBoard({
    queues: adapters,
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: readOnlyMode ? "Jobs (read only)" : "Jobs",
        hideDocsLink: true,
        hideRedisDetails: readOnlyMode,
        miscLinks: [{ text: "API reference", url: "/docs" }],
      },
    },
  });
  return serverAdapter.getRouter() as RequestHandler;
}

/** What the board's buttons do, in the name of whoever is logged in. */
function steering({ transact, db }: ApiContext, queues: Queues, acting: AsyncLocalStorage<Actor>): Steer {
  const change = (work: (tx: EntityManager, by: string | null) => Promise<unknown>) => {
    const by = acting.getStore()?.id ?? null;
    return transact({ actorId: by, traceId: null }, async (tx) => void (await work(tx, by)));
  };
  const agree = async () => {
    const paused = await queuePauses.list(db.manager);
    await applyPauses(
      queues,
      paused.map(({ queue }) => queue),
    );
  };
  return {
    cancel: (id) => change((tx, by) => cancelJob(tx, id, { by, reason: "removed in Bull Board" })),
    retry: (id) => change((tx) => retryJob(tx, id)),
    pause: (queue) => change((tx, by) => queuePauses.add(tx, queue, by, "paused in Bull Board")).then(agree),
    resume: (queue) => change((tx) => queuePauses.remove(tx, queue)).then(agree),
  };
}

/** The ledger's page of a job, and what its buttons do; it needs no Redis. */
async function serveLedger(req: Request, res: Response, context: ApiContext, actor: Actor) {
  const [, , id = "", action] = req.path.split("/");
  const found = isUuid(id) ? await findJob(context.db.manager, id) : null;
  if (!found) throw new NotFoundError(`Job with id ${id} not found.`);
  if (req.method === "POST") {
    requireRole(actor, "ADMIN");
    const reason = String((req.body as { reason?: unknown } | undefined)?.reason ?? "").slice(0, 300) || null;
    const by = actor.id;
    await context.transact({ actorId: by, traceId: String(res.locals.requestId) }, async (tx) => {
      if (action === "retry") return retryJob(tx, id);
      if (action === "cancel") return cancelJob(tx, id, { by, reason });
      throw new NotFoundError("Not Found");
    });
    return void res.redirect(303, `${boardPath}/ledger/${id}`);
  }
  const children = await jobRows.children(context.db.manager, id);
  res.type("html").send(jobPage(jobView(found, children, true), boardPath, actor.role === "ADMIN"));
}

async function admit(req: Request, context: ApiContext) {
  const token = readCookie(req);
  const actor = await context.authenticate(req.headers.authorization ?? (token && `Bearer ${token}`));
  requireRole(actor, "EMPLOYEE");
  return actor;
}

function readCookie(req: Request) {
  const pair = req.headers.cookie?.split(/;\s*/).find((one) => one.startsWith(`${cookieName}=`));
  return pair?.slice(cookieName.length + 1);
}

function isPageView(req: Request) {
  return req.method === "GET" && req.accepts(["json", "html"]) === "html";
}

function login(context: ApiContext): RequestHandler {
  return async (req, res) => {
    const token = String((req.body as { token?: unknown } | undefined)?.token ?? "")
      .trim()
      .replace(/^Bearer\s+/, "");
    try {
      requireRole(await context.authenticate(`Bearer ${token}`), "EMPLOYEE");
    } catch (error) {
      if (!(error instanceof UnauthorizedError || error instanceof ForbiddenError)) throw error;
      const status = error instanceof ForbiddenError ? 403 : 401;
      return void res.status(status).type("html").send(loginPage(error.message));
    }
    const isEncrypted = context.publicUrl.startsWith("https:");
    // A session of the browser; the token inside has its own end.
    res.cookie(cookieName, token, { path: boardPath, httpOnly: true, sameSite: "strict", secure: isEncrypted });
    res.redirect(303, boardPath);
  };
}

/** The cookie goes with every request of the browser: what changes something has to come from our own pages. */
const refuseOtherSites: RequestHandler = (req, _res, next) => {
  if (["GET", "HEAD"].includes(req.method)) return next();
  const site = req.headers["sec-fetch-site"];
  const origin = req.headers.origin;
  const isForeign = site ? site !== "same-origin" : origin !== undefined && !isOwnOrigin(req, origin);
  if (isForeign) throw new ForbiddenError("This has to be sent from the board's own pages");
  next();
};

function isOwnOrigin(req: Request, origin: string) {
  return URL.canParse(origin) && new URL(origin).host === req.headers.host;
}

function auditWhenDone(req: Request, res: Response, context: ApiContext, actor: Actor) {
  const endpoint = context.publicUrl + req.originalUrl;
  const requestId = String(res.locals.requestId);
  res.on("finish", () => {
    const entry = { userId: actor.id, method: req.method, endpoint, payload: null, status: res.statusCode, requestId };
    recordAudit(context.db.manager, entry).catch((error: unknown) => {
      context.log.error({ err: error, audit: entry }, "audit row lost");
    });
  });
}
