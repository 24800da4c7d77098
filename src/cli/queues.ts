import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import { jobQueries } from "../engine/index.ts";
import { type QueueName, queueNames, queues } from "../jobs/queues.ts";
import { listPauses, pauseQueue, resumeQueue, weighGroup } from "../services/operations/job-control.ts";
import { actAs, reasonOption } from "./act-as.ts";
import { type Command, type CommandContext, table, text, UsageError, type Values, whole } from "./command.ts";

/** A queue's name; throws `UsageError`. */
export function queueOf(given: string | undefined): QueueName {
  const queue = queueNames.find((name) => name === given);
  if (queue) return queue;
  throw new UsageError(`There is no queue '${given ?? ""}'; there are ${queueNames.join(", ")}`);
}

async function queueViews(tx: EntityManager) {
  const [pauses, counts] = [await listPauses(tx), await jobQueries.unfinishedByQueue(tx)];
  return queueNames.map((name) => {
    const of = (state: string) => counts.find((one) => one.queue === name && one.state === state)?.jobs ?? 0;
    const jobs = { open: of("open"), running: of("running"), waiting: of("waiting") };
    const pause = pauses.find(({ queue }) => queue === name) ?? null;
    return { name, description: queues[name].description, jobs, pause };
  });
}

/** Implements the command of the same name. */
function pause(context: CommandContext, values: Values, queue: QueueName) {
  return actAs(context, values, { path: `queues/${queue}/pause` }, (tx, operator) => pauseQueue(tx, queue, operator));
}

async function one({ transact }: CommandContext, queue: QueueName) {
  return (await transact(queueViews)).find(({ name }) => name === queue);
}

export const queueCommands: Record<string, Command> = {
  "queues list": {
    usage: "",
    about: "queues: their unfinished jobs, and which are paused by whom and why",
    takes: 0,
    async run({ transact }) {
      const all = await transact(queueViews);
      const rows = all.map(({ name, jobs, pause }) => [
        ...[name, String(jobs.open), String(jobs.running), String(jobs.waiting)],
        pause ? `since ${pause.at.toISOString()}${pause.byEmail ? ` by ${pause.byEmail}` : ""}: ${pause.reason}` : "",
      ]);
      return { data: all, text: table(["queue", "open", "running", "waiting", "paused"], rows) };
    },
  },
  "queues pause": {
    usage: "<queue> --as e-mail --reason text",
    about: "pauses a queue: running jobs end, no other starts",
    takes: 1,
    options: reasonOption,
    async run(context, [given], values) {
      const queue = queueOf(given);
      await pause(context, values, queue);
      return { data: await one(context, queue), text: `Queue ${queue} is paused; workers follow within two seconds.` };
    },
  },
  "queues resume": {
    usage: "<queue> --as e-mail",
    about: "resumes a queue",
    takes: 1,
    options: reasonOption,
    async run(context, [given], values) {
      const queue = queueOf(given);
      const deed = { path: `queues/${queue}/resume` };
      await actAs(context, values, deed, (tx, operator) => resumeQueue(tx, queue, operator));
      return { data: await one(context, queue), text: `Queue ${queue} is resumed; workers follow within two seconds.` };
    },
  },
  "queues weigh": {
    usage: "<queue> <group> <weight> --as e-mail",
    about: "gives a group of jobs (a newsletter, a webhook's endpoint) a weight of 1 to 100; others have 1",
    takes: 3,
    options: reasonOption,
    async run(context, [given, group = "", weight], values) {
      const queue = queueOf(given);
      const share = whole("the weight", weight, 1, 1, 100);
      const deed = { path: `queues/${queue}/weigh`, input: { group, weight: share } };
      await actAs(context, values, deed, (tx, operator) => weighGroup(tx, queue, group, share, operator));
      const text = `Group ${group} of queue ${queue} has weight ${share}; others have 1.`;
      return { data: { queue, group, weight: share }, text };
    },
  },
  "queues drain": {
    usage: "<queue> --as e-mail --reason text [--timeout 300]",
    about: "pauses a queue and waits until no job runs there",
    takes: 1,
    options: { ...reasonOption, timeout: { type: "string" } },
    async run(context, [given], values) {
      const queue = queueOf(given);
      const seconds = whole("--timeout", text(values.timeout), 300, 1, 86_400);
      await pause(context, values, queue);
      const end = performance.now() + seconds * 1_000;
      // Until the pause has reached the workers, a job that is just starting is not seen.
      await sleep(Math.min(seconds, 2) * 1_000);
      for (;;) {
        const data = await one(context, queue);
        const running = data?.jobs.running ?? 0;
        if (running === 0) return { data, text: `Queue ${queue} is paused, and nothing runs there.` };
        if (performance.now() > end) {
          const text = `Queue ${queue} is paused, and ${running} jobs still run after ${seconds} s.`;
          return { data, text, isBad: true };
        }
        await sleep(500);
      }
    },
  },
};
