import { createAutoscaler, createQueues, type Explanation, readOutboxStats, wantedKey } from "../engine/index.ts";
import { type QueueName, queueNames } from "../jobs/queues.ts";
import { createLogger } from "../platform/logger.ts";
import { connectOnce } from "../platform/redis.ts";
import { requireRight } from "../services/operations/job-rights.ts";
import { actAs, reasonOption } from "./act-as.ts";
import { type Command, type CommandContext, text, UsageError, type Values, whole } from "./command.ts";
import { queueOf } from "./queues.ts";

async function explain(context: CommandContext, queue: QueueName): Promise<Explanation> {
  const { redis, queuePrefix, scaling } = context.installation();
  const connection = await connectOnce(redis.broker);
  const queues = createQueues(queueNames, connection, queuePrefix, createLogger("silent", "tcf"));
  try {
    const readStats = () => context.transact((tx) => readOutboxStats(tx));
    return await createAutoscaler({ queues, rules: scaling, readStats }).explain(queue);
  } finally {
    await queues.close();
    connection.disconnect();
  }
}

function describe({ queue, desiredWorkers, unclamped, min, max, concurrency, inputs, reason }: Explanation) {
  const { ready, active, workers, oldestReadyAgeSeconds, goalSeconds, wanted } = inputs;
  const round = (value: number) => Math.round(value * 100) / 100;
  return [
    `${queue}: ${desiredWorkers} workers desired (${unclamped} without minimum ${min} and maximum ${max}), ${workers} live`,
    `ready ${ready}, running ${active}, the oldest waits ${round(oldestReadyAgeSeconds)} s of ${goalSeconds} s`,
    `arrivals ${round(inputs.arrivalsPerSecond)}/s, a run takes ${round(inputs.serviceSeconds)} s, ${concurrency} in a worker`,
    `limits: concurrency ${inputs.globalConcurrency ?? "none"}, starts per second ${inputs.startsPerSecond ?? "any"}` +
      `${inputs.isPaused ? "; paused" : ""}${wanted === null ? "" : `; an operator has set ${wanted}`}`,
    `because ${reason}`,
  ].join("\n");
}

/** `90s`, `15m`, `2h` in seconds; throws `UsageError`. */
function duration(given: string | undefined): number {
  const [, count, unit] = /^(\d{1,4})([smh])$/.exec(given ?? "") ?? [];
  const seconds = Number(count) * ({ s: 1, m: 60, h: 3_600 }[unit ?? ""] ?? Number.NaN);
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new UsageError(`--for is '${given ?? ""}'; say how long, at most a day: 30m, 2h`);
}

interface Wanted {
  workers: number;
  seconds: number;
}

async function write(context: CommandContext, values: Values, queue: QueueName, wanted?: Wanted) {
  const { redis, queuePrefix } = context.installation();
  const connection = await connectOnce(redis.broker);
  const key = wantedKey({ client: connection, prefix: queuePrefix }, queue);
  const deed = { path: `queues/${queue}/scale`, input: { wanted: wanted ?? null } };
  try {
    await actAs(context, values, deed, async (_tx, operator) => {
      requireRight("tune-queue", "", operator);
      if (wanted) await connection.set(key, wanted.workers, "EX", wanted.seconds);
      else await connection.del(key);
    });
  } finally {
    connection.disconnect();
  }
}

export const scaleCommands: Record<string, Command> = {
  "scale explain": {
    usage: "<queue>",
    about: "how many workers a queue needs, and why",
    takes: 1,
    async run(context, [given]) {
      const data = await explain(context, queueOf(given));
      return { data, text: describe(data) };
    },
  },
  "scale set": {
    usage: "<queue> <workers> --for 2h --as e-mail",
    about: "overrides the number of workers for a time, between minimum and maximum",
    takes: 2,
    options: { ...reasonOption, for: { type: "string" } },
    async run(context, [given, count], values) {
      const [queue, seconds] = [queueOf(given), duration(text(values.for))];
      await write(context, values, queue, { workers: whole("workers", count, 0, 0, 1_000), seconds });
      const data = await explain(context, queue);
      return { data, text: describe(data) };
    },
  },
  "scale clear": {
    usage: "<queue> --as e-mail",
    about: "removes that override",
    takes: 1,
    options: reasonOption,
    async run(context, [given], values) {
      const queue = queueOf(given);
      await write(context, values, queue);
      const data = await explain(context, queue);
      return { data, text: describe(data) };
    },
  },
};
