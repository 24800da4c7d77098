import { z } from "zod";
import { type QueuePause, queuePauses } from "../../db/dao/queue-pauses.ts";
import { type QueueName, queueNames, queues } from "../../jobs/queues.ts";
import { defineRoute } from "../define-route.ts";
import { line, timestamp } from "../fields.ts";
import { InvalidRequest, Problem } from "../problem.ts";

const tag = "Jobs";
const params = z.object({ queue: z.enum(queueNames) });

const QueueView = z
  .object({
    name: z.enum(queueNames),
    description: z.string(),
    pause: z
      .object({ by: z.uuid().nullable(), reason: z.string(), at: timestamp })
      .nullable()
      .meta({ description: "Who has paused it, why and when; null when it goes on" }),
  })
  .meta({ id: "Queue" });

function queueView(name: QueueName, pauses: readonly QueuePause[]): z.output<typeof QueueView> {
  const pause = pauses.find(({ queue }) => queue === name);
  const shown = pause && { by: pause.by, reason: pause.reason, at: pause.at.toISOString() };
  return { name, description: queues[name].description, pause: shown ?? null };
}

export const queueRoutes = [
  defineRoute({
    method: "get",
    path: "/queues",
    summary: "The queues, and which of them are paused",
    tag,
    access: "EMPLOYEE",
    responses: { 200: z.object({ items: z.array(QueueView) }), 401: Problem },
    async handle(_context, { reader }) {
      const pauses = await queuePauses.list(reader);
      return { status: 200, body: { items: queueNames.map((name) => queueView(name, pauses)) } };
    },
  }),
  defineRoute({
    method: "put",
    path: "/queues/{queue}/pause",
    summary: "Pause a queue: running jobs end, no other begins",
    description:
      "Holds until it is taken back, whatever is deployed or restarted meanwhile; workers follow within two seconds.",
    tag,
    access: "ADMIN",
    params,
    body: z.object({ reason: line(300) }),
    responses: { 200: QueueView, 401: Problem, 422: InvalidRequest },
    handle: (_context, { params: { queue }, body, actor, commit }) =>
      commit(async (tx) => {
        await queuePauses.add(tx, queue, actor.id, body.reason);
        return { status: 200, body: queueView(queue, await queuePauses.list(tx)) };
      }),
  }),
  defineRoute({
    method: "delete",
    path: "/queues/{queue}/pause",
    summary: "Let a queue go on",
    tag,
    access: "ADMIN",
    params,
    responses: { 200: QueueView, 401: Problem, 422: InvalidRequest },
    handle: (_context, { params: { queue }, commit }) =>
      commit(async (tx) => {
        await queuePauses.remove(tx, queue);
        return { status: 200, body: queueView(queue, []) };
      }),
  }),
];
