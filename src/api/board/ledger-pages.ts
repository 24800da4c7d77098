import type { Request, RequestHandler, Response } from "express";
import type { EntityManager } from "typeorm";
import { validate as isUuid } from "uuid";
import { User } from "../../db/entities/accounts/user.ts";
import { findJob, jobQueries } from "../../engine/index.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { redact, redactAll } from "../../platform/redact.ts";
import { cancelJob, retryJob } from "../../services/operations/job-control.ts";
import { isAtLeast, rightToJob } from "../../services/operations/job-rights.ts";
import { createRouter } from "../http/router.ts";
import type { ApiContext } from "../http/types.ts";
import { jobView } from "../views/job.ts";
import type { Pressing } from "./board-actions.ts";
import { jobPage, noJobPage } from "./job-page.ts";
import { messagesFor } from "./messages.ts";
import type { Sessions, Visitor } from "./session.ts";

/** Parts of a job that its page lists. */
const partsShown = 20;

/** The ledger's page of each job under `ledger/{id}`, for the authenticated `visitor`; they need no Redis. */
export function ledgerPages(context: ApiContext, boardPath: string, sessions: Sessions): RequestHandler {
  async function show(req: Request, res: Response, id: string, problem?: string) {
    const visitor = res.locals.visitor as Visitor;
    const tx = context.db.manager;
    const messages = messagesFor(req);
    const job = isUuid(id) ? await findJob(tx, id) : null;
    if (!job)
      return void res
        .status(404)
        .type("html")
        .send(noJobPage(id, boardPath, messages));
    const parts = await jobQueries.list(tx, { parentId: id }, undefined, partsShown);
    const whole = jobView(job, await jobQueries.children(tx, id), true);
    const isShown = isAtLeast(visitor.rank, "operator");
    const view = isShown ? whole : redactAll(whole);
    const people = await emailsOf(tx, [job.actorId, view.cancellation?.by ?? null], isShown);
    const csrf = sessions.csrfOf(req, res);
    const right = await rightToJob(tx, job.finishedAt ? "retry" : "cancel", id, visitor.id);
    const action = right && isAtLeast(visitor.rank, right.minRank) ? right : undefined;
    const page = jobPage(view, { boardPath, messages, csrf, action, parts, actor: job.actorId, people, problem });
    res
      .status(problem ? 409 : 200)
      .type("html")
      .send(page);
  }

  async function act(res: Response, id: string, action: string) {
    if (!isUuid(id)) throw new NotFoundError(`Job with id ${id} not found.`);
    const { operator, traceId } = res.locals.pressing as Pressing;
    await context.transact({ actorId: operator.id, traceId }, (tx) =>
      action === "retry" ? retryJob(tx, id, operator) : cancelJob(tx, id, operator),
    );
  }

  const router = createRouter();
  router.get("/ledger/:id", (req, res) => show(req, res, req.params.id));
  for (const action of ["retry", "cancel"]) {
    router.post(`/ledger/:id/${action}`, async (req: Request<{ id: string }>, res) => {
      const { id } = req.params;
      try {
        await act(res, id, action);
        res.redirect(303, `${boardPath}/ledger/${id}`);
      } catch (error) {
        // A page that was open for a while may show a button that does not apply any more.
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
        await show(req, res, id, error.message);
      }
    });
  }
  router.use("/ledger", () => {
    throw new NotFoundError("Not Found");
  });
  return router;
}

async function emailsOf(tx: EntityManager, ids: (string | null)[], isShown: boolean) {
  const users = await Promise.all(ids.map((id) => (id === null ? null : tx.findOneBy(User, { id }))));
  const emails = users.flatMap((user) => (user ? [[user.id, user.email] as const] : []));
  return new Map(emails.map(([id, email]) => [id, isShown ? email : redact(email)]));
}
