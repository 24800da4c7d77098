import { createBullBoard } from "@bull-board/api";
import { ExpressAdapter } from "@bull-board/express";
import express, { type Request, type RequestHandler, type Response, Router } from "express";
import { AppError, ForbiddenError, UnauthorizedError, UnavailableError } from "../../errors.ts";
import type { QueuedData } from "../../jobs/dispatch.ts";
import { type QueueName, queues as settings } from "../../jobs/queues.ts";
import type { Queues } from "../../platform/queues.ts";
import { recordAudit } from "../../services/audit.ts";
import { requireRole } from "../authenticate.ts";
import type { ApiContext } from "../context.ts";
import { pageHeaders } from "../page-headers.ts";
import { statusOfError } from "../problem.ts";
import { LedgerAdapter } from "./ledger-adapter.ts";
import { ledgerPages } from "./ledger-pages.ts";
import { loginPage } from "./login-page.ts";
import { createSteering, type Pressing, type Steering } from "./steering.ts";

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

  const steering = createSteering(context, queues);
  const boards = { ADMIN: board(queues, steering, false), EMPLOYEE: board(queues, steering, true) };
  const ledger = ledgerPages(context, boardPath);
  router.use(async (req, res, next) => {
    const actor = await admit(req, context).catch((error: unknown) => {
      if (!isPageView(req) || !(error instanceof UnauthorizedError)) throw error;
    });
    if (!actor) return void res.redirect(303, loginPath);
    Object.assign(res.locals, { actor: actor.id, staff: actor });
    const pressing: Pressing = { actorId: actor.id, traceId: String(res.locals.requestId) };
    if (!["GET", "HEAD"].includes(req.method)) auditWhenDone(req, res, context, pressing);
    if (req.path.startsWith("/ledger/")) return ledger(req, res, next);
    if (!queues.isUp())
      throw new UnavailableError("Redis cannot be reached; the state of jobs is at /jobs/{id} meanwhile");
    steering.as(pressing, () => boards[actor.role === "ADMIN" ? "ADMIN" : "EMPLOYEE"](req, res, next));
  });
  return router;
}

const loginPath = `${boardPath}/login`;

function board(queues: Queues, steering: Steering, readOnlyMode: boolean): RequestHandler {
  const serverAdapter = new ExpressAdapter().setBasePath(boardPath);
  const adapters = Object.entries(queues.byName).map(([name, queue]) => {
    const { description } = settings[name as QueueName];
    const externalJobUrl = ({ data }: { data?: unknown }) => ({
      displayText: "Ledger",
      href: `${boardPath}/ledger/${(data as QueuedData | undefined)?.id}`,
    });
    return new LedgerAdapter(queue, { readOnlyMode, description, externalJobUrl }, steering);
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
  serverAdapter.setErrorHandler(sayWhy);
  return serverAdapter.getRouter() as RequestHandler;
}

/** An error of ours as the board shows it; all others are for `problemHandler`. */
function sayWhy(error: unknown) {
  if (!(error instanceof AppError)) throw error;
  const status = statusOfError(error) as 409;
  return { status, body: { error: "Nothing was done", message: error.message } };
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

function auditWhenDone(req: Request, res: Response, context: ApiContext, pressing: Pressing) {
  const endpoint = context.publicUrl + req.originalUrl;
  res.on("finish", () => {
    const { actorId: userId, traceId: requestId, reason } = pressing;
    const payload = { ...(req.body as object | undefined), ...(reason && { reason }) };
    const entry = { userId, method: req.method, endpoint, payload, status: res.statusCode, requestId };
    recordAudit(context.db.manager, entry).catch((error: unknown) => {
      context.log.error({ err: error, audit: { ...entry, payload: undefined } }, "audit row lost");
    });
  });
}
