import express, { type Request, type RequestHandler, type Response, Router } from "express";
import type { EntityManager } from "typeorm";
import { validate as isUuid } from "uuid";
import { jobRows } from "../../db/dao/jobs.ts";
import { User } from "../../db/entities/user.ts";
import { findJob } from "../../db/ledger.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { cancelJob, retryJob } from "../../services/job-control.ts";
import { requireRole } from "../authenticate.ts";
import type { Actor, ApiContext } from "../context.ts";
import { jobView } from "../views/job.ts";
import { jobPage, noJobPage } from "./job-page.ts";

/** Parts of a job that its page lists. */
const partsShown = 20;
const longestReason = 300;

/** The ledger's page of each job under `ledger/{id}`, for the `staff` that is admitted; they need no Redis. */
export function ledgerPages(context: ApiContext, boardPath: string): RequestHandler {
  const readForm = express.urlencoded({ extended: false, limit: "20kb" });

  async function show(res: Response, actor: Actor, id: string, problem?: string) {
    const tx = context.db.manager;
    const job = isUuid(id) ? await findJob(tx, id) : null;
    if (!job) return void res.status(404).type("html").send(noJobPage(id, boardPath));
    const parts = await jobRows.list(tx, { parentId: id }, undefined, partsShown);
    const view = jobView(job, await jobRows.children(tx, id), true);
    const people = await emailsOf(tx, [job.actorId, view.cancellation?.by ?? null]);
    const mayAct = actor.role === "ADMIN";
    const page = jobPage(view, { boardPath, mayAct, parts, actor: job.actorId, people, problem });
    res
      .status(problem ? 409 : 200)
      .type("html")
      .send(page);
  }

  async function act(req: Request, res: Response, id: string, action: string) {
    const actor = res.locals.staff as Actor;
    requireRole(actor, "ADMIN");
    if (!isUuid(id)) throw new NotFoundError(`Job with id ${id} not found.`);
    const { reason: given } = (req.body ?? {}) as { reason?: unknown };
    const reason = typeof given === "string" ? given.trim().slice(0, longestReason) : "";
    await context.transact({ actorId: actor.id, traceId: String(res.locals.requestId) }, (tx) =>
      action === "retry" ? retryJob(tx, id) : cancelJob(tx, id, { by: actor.id, reason: reason || null }),
    );
  }

  const router = Router();
  router.get("/ledger/:id", (req, res) => show(res, res.locals.staff, req.params.id));
  for (const action of ["retry", "cancel"]) {
    router.post(`/ledger/:id/${action}`, readForm, async (req: Request<{ id: string }>, res) => {
      const { id } = req.params;
      try {
        await act(req, res, id, action);
        res.redirect(303, `${boardPath}/ledger/${id}`);
      } catch (error) {
        // A page that was open for a while shows a button that fits no more.
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
        await show(res, res.locals.staff, id, error.message);
      }
    });
  }
  router.use("/ledger", () => {
    throw new NotFoundError("Not Found");
  });
  return router;
}

async function emailsOf(tx: EntityManager, ids: (string | null)[]) {
  const users = await Promise.all(ids.map((id) => (id === null ? null : tx.findOneBy(User, { id }))));
  return new Map(users.flatMap((user) => (user ? [[user.id, user.email] as const] : [])));
}
