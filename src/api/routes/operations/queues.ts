import type { EntityManager } from "typeorm";
import { z } from "zod";
import { jobQueries, type QueuePause, queuePauses } from "../../../engine/index.ts";
import { type QueueName, queueNames, queues } from "../../../jobs/queues.ts";
import { pauseQueue, resumeQueue } from "../../../services/operations/job-control.ts";
import { defineRoute } from "../../http/define-route.ts";
import { line, timestamp } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { operatorOf } from "./operator.ts";

const tag = "Jobs";
const params = z.object({ queue: z.enum(queueNames) });

const QueueView = z
  .object({
    name: z.enum(queueNames),
    description: z.string(),
    jobs: z.object({ open: z.int(), running: z.int(), waiting: z.int() }).meta({
      description: "Unfinished jobs by status, from the ledger; also while Redis is unavailable",
    }),
    pause: z
      .object({ by: z.uuid().nullable(), reason: z.string(), at: timestamp })
      .nullable()
      .meta({ description: "Who paused it, why and when; null when it is not paused" }),
  })
  .meta({ id: "Queue" });

type Count = Awaited<ReturnType<typeof jobQueries.unfinishedByQueue>>[number];

function queueView(
  name: QueueName,
  pauses: readonly QueuePause[],
  counts: readonly Count[],
): z.output<typeof QueueView> {
  const pause = pauses.find(({ queue }) => queue === name);
  const shown = pause && { by: pause.by, reason: pause.reason, at: pause.at.toISOString() };
  const ours = counts.filter(({ queue }) => queue === name).map(({ state, jobs }) => [state, jobs]);
  const jobs = { open: 0, running: 0, waiting: 0, ...Object.fromEntries(ours) };
  return { name, description: queues[name].description, jobs, pause: shown ?? null };
}

async function viewOf(tx: EntityManager, names: readonly QueueName[]) {
  const [pauses, counts] = [await queuePauses.list(tx), await jobQueries.unfinishedByQueue(tx)];
  return names.map((name) => queueView(name, pauses, counts));
}

export const queueRoutes = [
  defineRoute({
    method: "get",
    path: "/queues",
    summary: "List queues with their waiting jobs and pauses",
    tag,
    access: "EMPLOYEE",
    responses: { 200: z.object({ items: z.array(QueueView) }), 401: Problem },
    async handle(_context, { reader }) {
      return { status: 200, body: { items: await viewOf(reader, queueNames) } };
    },
  }),
  defineRoute({
    method: "put",
    path: "/queues/{queue}/pause",
    summary: "Pause a queue; running jobs go on to their end",
    description: "Holds until the queue is resumed, across deploys and restarts; workers follow within two seconds.",
    tag,
    access: "EMPLOYEE",
    act: { act: "pause-queue" },
    params,
    body: z.object({ reason: line(300) }),
    responses: { 200: QueueView, 401: Problem, 422: InvalidRequest },
    handle: (context, { params: { queue }, body, actor, commit }) =>
      commit(async (tx) => {
        await pauseQueue(tx, queue, await operatorOf(context, tx, actor, body.reason));
        const [view] = await viewOf(tx, [queue]);
        return { status: 200, body: view };
      }),
  }),
  defineRoute({
    method: "delete",
    path: "/queues/{queue}/pause",
    summary: "Resume a queue",
    tag,
    access: "EMPLOYEE",
    act: { act: "resume-queue" },
    params,
    responses: { 200: QueueView, 401: Problem, 422: InvalidRequest },
    handle: (context, { params: { queue }, actor, commit }) =>
      commit(async (tx) => {
        await resumeQueue(tx, queue, await operatorOf(context, tx, actor, null));
        const [view] = await viewOf(tx, [queue]);
        return { status: 200, body: view };
      }),
  }),
];
