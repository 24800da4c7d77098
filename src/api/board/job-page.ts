import type { z } from "zod";
import type { Job, JobState } from "../../engine/index.ts";
import { escapeHtml } from "../../platform/escape-html.ts";
import type { Right } from "../../services/operations/job-rights.ts";
import type { JobView } from "../views/job.ts";
import type { Messages } from "./messages.ts";
import { document } from "./page.ts";

type Shown = z.output<typeof JobView>;

export interface JobPageOptions {
  boardPath: string;
  messages: Messages;
  /** The token that the forms send back. */
  csrf: string;
  /** Adds the button, and tells whether it needs a reason. */
  action: Pick<Right, "needsReason"> | undefined;
  /** The newest jobs that are parts of this one. */
  parts: readonly Pick<Job, "id" | "kind" | "state">[];
  /** User who caused it. */
  actor: string | null;
  /** E-mail addresses by id of user. */
  people: ReadonlyMap<string, string>;
  /** Why the last press had no effect. */
  problem?: string | undefined;
}

/** The ledger's page of one job, for people. Everything in it is escaped. */
export function jobPage(job: Shown, options: JobPageOptions) {
  const { boardPath, messages, action, parts, actor, people, problem } = options;
  const texts = messages.job;
  const { facts: names } = texts;
  const link = (id: string) => `<a href="${boardPath}/ledger/${escapeHtml(id)}">${escapeHtml(id)}</a>`;
  const nameOf = (user: string) => escapeHtml(people.get(user) ?? user);
  const facts = [
    fact(names.id, `<code>${escapeHtml(job.id)}</code>`),
    fact(names.entity, job.entity && text(`${job.entity.type} ${job.entity.id}`)),
    fact(names.actor, actor && nameOf(actor)),
    fact(names.parent, job.parent_id && link(job.parent_id)),
    fact(names.request, job.request_id && `<code>${text(job.request_id)}</code>`),
    fact(names.progress, job.progress && progressBar(job.progress, texts)),
    fact(names.failures, text(`${job.failures} ${texts.of} ${job.max_failures}`)),
    fact(names.enqueued, time(job.created_at)),
    fact(names.readyAt, time(job.run_at)),
    fact(names.started, job.started_at && time(job.started_at)),
    fact(names.ended, job.finished_at && time(job.finished_at)),
    fact(names.cancelled, job.cancellation && cancelledBy(job.cancellation, nameOf, texts)),
    fact(
      names.error,
      job.error && `${text(job.error.message)}<br><small>${text(job.error.name)}, ${time(job.error.at)}</small>`,
    ),
    fact(names.result, job.result == null ? null : `<code>${text(JSON.stringify(job.result))}</code>`),
  ];
  return document(
    messages,
    `${job.kind}: ${job.status}`,
    `<nav><a href="${boardPath}/queue/${encodeURIComponent(job.queue)}">&larr; ${texts.queue} ${text(job.queue)}</a></nav>
<h1>${text(job.kind)} ${badge(job.status, texts)}</h1>
<p>${text(job.description ?? texts.unknownKind)}</p>
${problem ? `<p class="problem" role="alert">${text(problem)}</p>` : ""}
<dl>${facts.join("")}</dl>
${action ? actions(job, options) : ""}
${job.children ? partsList(job.children, parts, link, texts) : ""}
<h2>${texts.failedRuns}</h2>
${job.attempts.length === 0 ? `<p>${texts.none}</p>` : attemptsTable(job.attempts, texts)}`,
  );
}

/** The page for people when the ledger has no such job. */
export function noJobPage(id: string, boardPath: string, messages: Messages) {
  const { noSuch, noSuchWhy, allQueues } = messages.job;
  return document(
    messages,
    noSuch,
    `<nav><a href="${boardPath}">&larr; ${allQueues}</a></nav>
<h1>${noSuch}</h1>
<p>${noSuchWhy} <code>${text(id)}</code>.</p>`,
  );
}

const text = escapeHtml;

function fact(name: string, html: string | null) {
  return html === null ? "" : `<div><dt>${name}</dt><dd>${html}</dd></div>`;
}

function time(iso: string) {
  return `<time datetime="${text(iso)}">${text(iso.slice(0, 19).replace("T", " "))} UTC</time>`;
}

function badge(status: JobState, { states }: JobTexts) {
  return `<span class="status ${status}">${states[status]}</span>`;
}

function progressBar({ done, total }: NonNullable<Shown["progress"]>, { of }: JobTexts) {
  if (total === null) return text(`${done}`);
  return `<progress value="${done}" max="${total}"></progress> ${text(`${done} ${of} ${total}`)}`;
}

function cancelledBy(
  { at, by, reason }: NonNullable<Shown["cancellation"]>,
  nameOf: (user: string) => string,
  { rule }: JobTexts,
) {
  return `${time(at)}, ${by ? nameOf(by) : rule}${reason ? `: ${text(reason)}` : ""}`;
}

type JobTexts = Messages["job"];

function actions(job: Shown, { boardPath, messages, csrf, action: right }: JobPageOptions) {
  const texts = messages.job;
  const form = (action: string, label: string, look = "") =>
    `<form method="post" action="${boardPath}/ledger/${text(job.id)}/${action}">
  <input type="hidden" name="csrf" value="${text(csrf)}">
  <label for="reason">${texts.reason}</label>
  <input id="reason" name="reason" maxlength="300" autocomplete="off"${right?.needsReason ? " required" : ""}>
  <button${look}>${label}</button>
</form>`;
  if (job.status === "unknown") return `<p>${texts.outcomeUnknown}</p>${form("retry", texts.again)}`;
  if (job.status === "failed" || job.status === "cancelled") return form("retry", texts.again);
  if (job.finished_at !== null) return "";
  return job.cancellation ? `<p>${texts.stopRequested}</p>` : form("cancel", texts.cancel, ' class="danger"');
}

function partsList(
  children: Record<string, number>,
  parts: JobPageOptions["parts"],
  link: (id: string) => string,
  texts: JobTexts,
) {
  const { parts: title, newest } = texts;
  const counts = Object.entries(children).map(([status, count]) => `${badge(status as JobState, texts)} ${count}`);
  const rows = parts.map(({ id, kind, state }) => [link(id), text(kind), badge(state, texts)]);
  return `<h2>${title}</h2><p>${counts.join(" &nbsp; ")}</p>${table(newest, rows)}`;
}

function attemptsTable(attempts: Shown["attempts"], { runs }: JobTexts) {
  const rows = attempts
    .toReversed()
    .map(({ started_at, ended_at, outcome, worker, error }) => [
      started_at ? time(started_at) : "",
      time(ended_at),
      text(outcome),
      text(worker ?? ""),
      error ? text(`${error.name}: ${error.message}`) : "",
    ]);
  return table(runs, rows);
}

/** Its cells are HTML; on a narrow screen each is below the name of its column. */
function table(names: readonly string[], rows: readonly string[][]) {
  const cell = (html: string, column: number) => (html ? `<td data-name="${names[column]}">${html}</td>` : "<td></td>");
  const body = rows.map((cells) => `<tr>${cells.map(cell).join("")}</tr>`);
  return `<table><tr>${names.map((name) => `<th>${name}</th>`).join("")}</tr>${body.join("")}</table>`;
}
