import { createBullBoard } from "@bull-board/api";
import { ExpressAdapter } from "@bull-board/express";
import express, {
  type ErrorRequestHandler,
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import { auditMethods } from "../../db/entities/audit/audit-entry.ts";
import type { QueuedData, Queues } from "../../engine/index.ts";
import {
  AppError,
  ForbiddenError,
  MethodNotAllowedError,
  NotFoundError,
  PreconditionFailedError,
  ReasonNeededError,
  UnauthorizedError,
  UnavailableError,
} from "../../errors.ts";
import { type QueueName, queues as settings } from "../../jobs/queues.ts";
import { redactAll } from "../../platform/redact.ts";
import { isAudited } from "../../services/audit/audit.ts";
import { isAtLeast, type Rank, ranks, requireRight } from "../../services/operations/job-rights.ts";
import { countRefusal, limitByAddress, limitRequest } from "../http/limit-requests.ts";
import { headersOf, statusOfError } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import type { ApiContext } from "../http/types.ts";
import { pageHeaders } from "../pages/page-headers.ts";
import { auditWhenDone } from "./audit-when-done.ts";
import { type BoardActions, createBoardActions, type Pressing } from "./board-actions.ts";
import { loginPage, reasonPage } from "./forms.ts";
import { LedgerAdapter } from "./ledger-adapter.ts";
import { ledgerPages } from "./ledger-pages.ts";
import { languages, type Messages, messagesFor } from "./messages.ts";
import { pressOf } from "./presses.ts";
import { type BoardAccess, createSessions, type Sessions, type Visitor } from "./session.ts";

/** Where the board is served. */
export const boardPath = "/admin/queues";

export interface BoardOptions extends BoardAccess {
  /** The environment, shown in a corner: red for `production`. */
  environment: string;
  /** Base URL of the runbook's pages, one for each queue. */
  runbookUrl?: string | undefined;
}

/**
 * Bull Board for staff: `presses.ts` says what each button does, the table of rights who may press it. A person logs in
 * with an access token, kept in a cookie that no script can read and no other site can send, or is named by a proxy in
 * front; a program sends a bearer token.
 */
export function bullBoard(queues: Queues, context: ApiContext, options: BoardOptions, base: string) {
  // As browsers see it: behind a proxy it is under the path of PUBLIC_URL.
  const path = `${base}${boardPath}`;
  const loginPath = `${path}/login`;
  const router = createRouter();
  const limited = limitByAddress(context);
  const sessions = createSessions(context, path, options);
  const readForm = express.urlencoded({ extended: false, limit: "20kb" });
  router.use(pageHeaders());
  router.use((_req, res, next) => {
    res.setHeader("cache-control", "no-store");
    next();
  });
  router.use(refuseOtherSites);
  router.use(["/login", "/logout"], limited);
  router.get("/login", (req, res) => void res.type("html").send(loginPage(messagesFor(req), loginPath)));
  router.post("/login", readForm, sessions.login);
  router.post("/logout", (_req, res) => {
    sessions.logout(res);
    res.redirect(303, loginPath);
  });

  const boardActions = createBoardActions(context, queues);
  const boards = everyBoard(queues, boardActions, options, base);
  const ledger = ledgerPages(context, path, sessions);
  router.use(async (req, res, next) => {
    const visitor = await sessions.visitorOf(req).catch((error: unknown) => {
      countRefusal(context, req, res, error);
      if (!isPageView(req) || !(error instanceof UnauthorizedError)) throw error;
    });
    if (!visitor) return void res.redirect(303, loginPath);
    limitRequest(context, req, res, "EMPLOYEE", visitor);
    Object.assign(res.locals, { actor: visitor.id, visitor });
    next();
  });
  // Forms have the token as a field, Bull Board's scripts send it in a header.
  router.post(["/reason", "/ledger/:id/:action"], readForm);
  router.use((req, res, next) => {
    const visitor = res.locals.visitor as Visitor;
    const operator = { id: visitor.id, rank: visitor.rank, reason: null };
    const pressing: Pressing = { operator, traceId: String(res.locals.requestId), act: undefined };
    res.locals.pressing = pressing;
    const { method } = req;
    if (["GET", "HEAD"].includes(method)) return next();
    if (!isAudited(method)) {
      res.set("allow", ["GET", "HEAD", ...auditMethods].join(", "));
      throw new MethodNotAllowedError("Method Not Allowed");
    }
    auditWhenDone(req, res, { context, pressing, method, route: boardPath });
    checkPress(req, visitor, pressing, sessions);
    next();
  });
  router.get("/reason", (req, res) => {
    const page = reasonPage(messagesFor(req), path, sessions.csrfOf(req, res), sessions.reasonOf(req));
    res.type("html").send(page);
  });
  router.post("/reason", (req, res) => {
    sessions.keepReason(res, (req.body as { reason?: unknown } | undefined)?.reason);
    res.redirect(303, path);
  });
  router.use(ledger);
  router.use(refuseCapitals);
  router.use((req, res, next) => {
    if (!queues.isUp())
      throw new UnavailableError("Redis cannot be reached; the state of jobs is at /jobs/{id} meanwhile");
    const { rank } = res.locals.visitor as Visitor;
    if (isPageView(req)) sessions.csrfOf(req, res);
    renderWithoutFonts(res, next);
    boardActions.as(res.locals.pressing as Pressing, () => boards[messagesFor(req).lang][rank](req, res, next));
  });
  router.use(((error, _req, _res, next) => next(sayWhere(error, path))) satisfies ErrorRequestHandler);
  router.use("/api", sayWhyBeforeTheBoard);
  return router;
}

/** Refusals before the board, in the board's format: it shows nothing of an answer without `error`. */
const sayWhyBeforeTheBoard: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof AppError) || res.headersSent) return next(error);
  const { status, body } = sayWhy(error);
  res.set(headersOf(error));
  res.status(status).json({ ...body, detail: body.message, code: error.code });
};

/** Bull Board has its own router, which takes `/API` for `/api`. Only names of its files have capitals. */
const refuseCapitals: RequestHandler = (req, _res, next) => {
  const isNamed = /^\/static\/|^[^A-Z]*$/.test(decodeURIComponent(req.path));
  if (!isNamed) throw new NotFoundError("Not Found");
  next();
};

/** Throws unless this visitor may press this button, on a page of this system, with a reason if it needs one. */
function checkPress(req: Request, visitor: Visitor, pressing: Pressing, sessions: Sessions) {
  const form = req.body as { csrf?: unknown; reason?: unknown } | undefined;
  if (visitor.isAmbient) sessions.requireCsrf(req, req.headers["x-xsrf-token"] ?? form?.csrf);
  const given = typeof form?.reason === "string" ? form.reason.trim() : sessions.reasonOf(req);
  pressing.operator.reason = given || null;
  const press = pressOf(req.method, req.path);
  if (press === "no act") return;
  pressing.act = press.act;
  // In Bull Board's own lists only visitors with a right to all users' jobs have the buttons.
  if (!press.isOfPage) requireRight(press.act, "", pressing.operator);
}

/** The board has no field for a reason: a separate page takes it. */
function sayWhere(error: unknown, path: string) {
  if (!(error instanceof ReasonNeededError)) return error;
  return new PreconditionFailedError(`This needs a reason: give one first, at ${path}/reason`);
}

/** Bull Board's page links fonts of a foreign host, which would learn who opens it; the system's own are enough. */
function renderWithoutFonts(res: Response, next: NextFunction) {
  const render = res.render.bind(res);
  res.render = (view: string, options?: object) =>
    render(view, options, (error, html) => (error ? next(error) : res.send(html.replaceAll(foreignLink, ""))));
}

const foreignLink = /<link href="https:\/\/[^>]{1,1000}>\s{0,9}/g;

/** One for each role and language: buttons and texts are fixed when a board is made. */
function everyBoard(queues: Queues, boardActions: BoardActions, options: BoardOptions, base: string) {
  const inLanguage = (messages: Messages) =>
    Object.fromEntries(
      ranks.map((one) => [one, board(queues, boardActions, { ...options, base }, one, messages)]),
    ) as Record<Rank, RequestHandler>;
  return { en: inLanguage(languages.en), ru: inLanguage(languages.ru) };
}

function board(
  queues: Queues,
  boardActions: BoardActions,
  options: BoardOptions & { base: string },
  rank: Rank,
  messages: Messages,
) {
  const path = `${options.base}${boardPath}`;
  const serverAdapter = new ExpressAdapter().setBasePath(path);
  (serverAdapter.getRouter() as Express).enable("case sensitive routing");
  const readOnlyMode = !isAtLeast(rank, "operator");
  const texts = messages.board;
  const { environment, runbookUrl } = options;
  const adapters = Object.entries(queues.byName).map(([name, queue]) => {
    const { owner } = settings[name as QueueName];
    const runbook = runbookUrl ? ` ${texts.runbook}: ${runbookUrl}/${name}.` : "";
    const description = `${messages.queues[name as QueueName]} ${texts.owner}: ${owner}.${runbook}`;
    const externalJobUrl = ({ data }: { data?: unknown }) => ({
      displayText: "Ledger",
      href: `${path}/ledger/${(data as QueuedData | undefined)?.id}`,
    });
    return new LedgerAdapter(
      queue,
      { readOnlyMode, description, externalJobUrl },
      { boardActions, messages, ...(readOnlyMode && { redact: redactAll }) },
    );
  });
  createBullBoard({
    queues: adapters,
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: readOnlyMode ? texts.readOnly : texts.title,
        locale: { lng: messages.locale },
        hideDocsLink: true,
        hideRedisDetails: rank !== "admin",
        // The board requests everything again at each poll, workers by a list of all clients of Redis.
        showWorkers: false,
        environment: badgeOf(environment),
        miscLinks: [
          { text: texts.reference, url: `${options.base}/docs` },
          ...(readOnlyMode ? [] : [{ text: texts.reason, url: `${path}/reason` }]),
          ...(runbookUrl ? [{ text: texts.runbook, url: runbookUrl }] : []),
        ],
      },
    },
  });
  serverAdapter.setErrorHandler((error) => sayWhy(sayWhere(error, path)));
  return serverAdapter.getRouter() as RequestHandler;
}

function badgeOf(label: string) {
  return { label, color: label === "production" ? "#b91c1c" : "#1d4ed8", textColor: "#ffffff" };
}

/** An `AppError` in the board's format; all others are for `problemHandler`. */
function sayWhy(error: unknown) {
  if (!(error instanceof AppError)) throw error;
  const status = statusOfError(error) as 409;
  return { status, body: { error: "Nothing was done", message: error.message } };
}

function isPageView(req: Request) {
  return req.method === "GET" && req.accepts(["json", "html"]) === "html";
}

/** The browser sends the cookie with every request: a change has to come from a page of this system. */
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
