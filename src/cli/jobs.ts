import {
  type Failures,
  findJob,
  type Job,
  type JobFilter,
  type JobState,
  jobQueries,
  jobStates,
} from "../engine/index.ts";
import { NotFoundError } from "../errors.ts";
import { cancelJob, retryJob } from "../services/operations/job-control.ts";
import { type ReplayFilter, requestReplay } from "../services/operations/replays.ts";
import { actAs, reasonOption } from "./act-as.ts";
import { type Command, type CommandContext, table, text, UsageError, type Values, whole } from "./command.ts";

const filterOptions = {
  queue: { type: "string" },
  state: { type: "string" },
  kind: { type: "string" },
  entity: { type: "string" },
  error: { type: "string" },
} as const;

function filterOf(values: Values): JobFilter {
  const [state, entity] = [text(values.state), text(values.entity)];
  if (state !== undefined && !jobStates.some((known) => known === state))
    throw new UsageError(`--state is '${state}'; there are ${jobStates.join(", ")}`);
  const [, type, id] = /^([a-z-]+):(.+)$/.exec(entity ?? "") ?? [];
  if (entity !== undefined && !(type && id)) throw new UsageError(`--entity is '${entity}'; write it as offer:<id>`);
  return {
    state: state as JobState | undefined,
    queue: text(values.queue),
    kind: text(values.kind),
    errorKey: text(values.error),
    entity: type && id ? { type, id } : undefined,
  };
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function idOf(given: string | undefined): string {
  if (given && uuid.test(given)) return given;
  throw new UsageError(`'${given ?? ""}' is not the id of a job`);
}

async function shown({ transact }: CommandContext, id: string) {
  const job = await transact(async (tx) => {
    const found = await findJob(tx, id);
    return found && { ...view(found), children: await jobQueries.children(tx, id) };
  });
  if (!job) throw new NotFoundError(`Job with id ${id} not found.`);
  return job;
}

/** Everything except the payload, which may contain people's addresses. */
function view(job: Job) {
  const { id, queue, kind, state, priority, failures, maxFailures, crashes, progress, attempts, lastError } = job;
  const { entityType, entityId, errorKey, cancellation, traceId, actorId, createdAt, startedAt, finishedAt, runAt } =
    job;
  return {
    ...{ id, queue, kind, state, priority, entity: entityType && `${entityType}:${entityId}` },
    ...{ failures, maxFailures, crashes, progress, errorKey, error: lastError?.message ?? null, cancellation },
    ...{ request: traceId, actor: actorId, createdAt, runAt, startedAt, finishedAt, attempts },
  };
}

const time = (at: Date | null) => at?.toISOString().slice(0, 19).replace("T", " ") ?? "";
const short = (line: string | null | undefined) => (line ?? "").replace(/\s+/g, " ").slice(0, 80);

function lines(value: object): string {
  return Object.entries(value)
    .filter(([, one]) => one !== null && one !== undefined)
    .map(([name, one]) => {
      if (one instanceof Date) return `${name}: ${one.toISOString()}`;
      return `${name}: ${typeof one === "object" ? JSON.stringify(one) : one}`;
    })
    .join("\n");
}

export const jobCommands: Record<string, Command> = {
  "jobs list": {
    usage: "[--queue q] [--state s] [--kind k] [--entity offer:id] [--error key] [--size 20]",
    about: "jobs, the newest first",
    takes: 0,
    options: { ...filterOptions, size: { type: "string" } },
    async run({ transact }, _args, values) {
      const size = whole("--size", text(values.size), 20, 1, 500);
      const jobs = (await transact((tx) => jobQueries.list(tx, filterOf(values), undefined, size))).map(view);
      const rows = jobs.map((job) => [
        ...[job.id, job.kind, job.state, `${job.failures}/${job.maxFailures}`, time(job.createdAt)],
        short(job.error),
      ]);
      return { data: jobs, text: table(["id", "kind", "state", "failed", "enqueued", "error"], rows) };
    },
  },
  "jobs failures": {
    usage: "[--days 14]",
    about: "failures by cause",
    takes: 0,
    options: { days: { type: "string" } },
    async run({ transact }, _args, values) {
      const days = whole("--days", text(values.days), 14, 1, 180);
      const since = new Date(Date.now() - days * 24 * 3_600_000);
      const failures = await transact((tx) => jobQueries.failures(tx, since));
      const row = ({ kind, errorKey, count, lastAt, exampleId }: Failures) => [
        ...[String(count), kind, time(lastAt), exampleId, errorKey ?? ""],
      ];
      return { data: failures, text: table(["jobs", "kind", "last", "example", "error key"], failures.map(row)) };
    },
  },
  "jobs show": {
    usage: "<id>",
    about: "one job: its progress, its parts, every unsuccessful run",
    takes: 1,
    async run(context, [id]) {
      const job = await shown(context, idOf(id));
      return { data: job, text: lines(job) };
    },
  },
  "jobs retry": {
    usage: "<id> --as e-mail [--reason text]",
    about: "retries a job that failed, was cancelled or is unknown",
    takes: 1,
    options: reasonOption,
    async run(context, [given], values) {
      const id = idOf(given);
      await actAs(context, values, { path: `jobs/${id}/retry` }, (tx, operator) => retryJob(tx, id, operator));
      const job = await shown(context, id);
      return { data: job, text: `Job ${id} is ${job.state}; it runs again.` };
    },
  },
  "jobs cancel": {
    usage: "<id> --as e-mail --reason text",
    about: "cancels a job and its unfinished parts",
    takes: 1,
    options: reasonOption,
    async run(context, [given], values) {
      const id = idOf(given);
      await actAs(context, values, { path: `jobs/${id}/cancel` }, (tx, operator) => cancelJob(tx, id, operator));
      const job = await shown(context, id);
      const text = job.state === "cancelled" ? "is cancelled" : "runs; it stops within a second";
      return { data: job, text: `Job ${id} ${text}.` };
    },
  },
  "jobs replay": {
    usage:
      "[--queue q] [--state s] [--kind k] [--entity offer:id] [--error key] [--per-minute 600] [--dry-run] --as e-mail --reason text",
    about: "retries unsuccessful jobs, at a rate per minute",
    takes: 0,
    options: { ...filterOptions, ...reasonOption, "per-minute": { type: "string" }, "dry-run": { type: "boolean" } },
    async run(context, _args, values) {
      const entries = Object.entries(filterOf(values)).filter(([, value]) => value !== undefined);
      if (entries.length === 0) throw new UsageError("Say which jobs: without a filter it would be all");
      const filter = Object.fromEntries(entries) as ReplayFilter;
      if (filter.state && !["failed", "unknown", "cancelled"].includes(filter.state))
        throw new UsageError(`--state is '${filter.state}'; only failed, unknown and cancelled jobs can be replayed`);
      const perMinute = whole("--per-minute", text(values["per-minute"]), 600, 1, 60_000);
      if (values["dry-run"]) {
        const found = await context.transact((tx) => jobQueries.unsuccessful(tx, filter, new Date(), 10));
        return { data: found, text: [`${found.count} jobs would run again, among them:`, ...found.ids].join("\n") };
      }
      const deed = { path: "jobs/replays", input: { filter, limit_per_minute: perMinute } };
      const id = await actAs(context, values, deed, (tx, operator) => requestReplay(tx, filter, perMinute, operator));
      return { data: { id }, text: `Job ${id} does it; \`tcf jobs cancel ${id} --reason …\` stops the rest.` };
    },
  },
};
