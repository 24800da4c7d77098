import type { z } from "zod";
import type { Job, JobState } from "../../engine/index.ts";
import { escapeHtml } from "../../platform/escape-html.ts";
import type { Right } from "../../services/operations/job-rights.ts";
import type { JobView } from "../views/job.ts";
import type { Words } from "./messages.ts";
import { document } from "./page.ts";

type Shown = z.output<typeof JobView>;

export interface JobPageOptions {
  boardPath: string;
  words: Words;
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
  const { boardPath, words, action, parts, actor, people, problem } = options;
  const says = words.job;
  const { facts: names } = says;
  const link = (id: string) => `<a href="${boardPath}/ledger/${escapeHtml(id)}">${escapeHtml(id)}</a>`;
  const nameOf = (user: string) => escapeHtml(people.get(user) ?? user);
  const facts = [
    fact(names.id, `<code>${escapeHtml(job.id)}</code>`),
    fact(names.entity, job.entity && text(`${job.entity.type} ${job.entity.id}`)),
    fact(names.actor, actor && nameOf(actor)),
    fact(names.parent, job.parent_id && link(job.parent_id)),
    fact(names.request, job.request_id && `<code>${text(job.request_id)}</code>`),
    fact(names.progress, job.progress && progressBar(job.progress, says)),
    fact(names.failures, text(`${job.failures} ${says.of} ${job.max_failures}`)),
    fact(names.promised, time(job.created_at)),
    fact(names.handedOut, time(job.run_at)),
    fact(names.started, job.started_at && time(job.started_at)),
    fact(names.ended, job.finished_at && time(job.finished_at)),
    fact(names.cancelled, job.cancellation && cancelledBy(job.cancellation, nameOf, says)),
    fact(
      names.error,
      job.error && `${text(job.error.message)}<br><small>${text(job.error.name)}, ${time(job.error.at)}</small>`,
    ),
    fact(names.result, job.result == null ? null : `<code>${text(JSON.stringify(job.result))}</code>`),
  ];
  return document(
    words,
    `${job.kind}: ${job.status}`,
    `<nav><a href="${boardPath}/queue/${encodeURIComponent(job.queue)}">&larr; ${says.queue} ${text(job.queue)}</a></nav>
<h1>${text(job.kind)} ${badge(job.status, says)}</h1>
<p>${text(job.description ?? says.unknownKind)}</p>
${problem ? `<p class="problem" role="alert">${text(problem)}</p>` : ""}
<dl>${facts.join("")}</dl>
${action ? actions(job, options) : ""}
${job.children ? partsList(job.children, parts, link, says) : ""}
<h2>${says.failedRuns}</h2>
${job.attempts.length === 0 ? `<p>${says.none}</p>` : attemptsTable(job.attempts, says)}`,
  );
}

/** The page for people when the ledger has no such job. */
export function noJobPage(id: string, boardPath: string, words: Words) {
  const { noSuch, noSuchWhy, allQueues } = words.job;
  return document(
    words,
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

function badge(status: JobState, { states }: Says) {
  return `<span class="status ${status}">${states[status]}</span>`;
}

function progressBar({ done, total }: NonNullable<Shown["progress"]>, { of }: Says) {
  if (total === null) return text(`${done}`);
  return `<progress value="${done}" max="${total}"></progress> ${text(`${done} ${of} ${total}`)}`;
}

function cancelledBy(
  { at, by, reason }: NonNullable<Shown["cancellation"]>,
  nameOf: (user: string) => string,
  { rule }: Says,
) {
  return `${time(at)}, ${by ? nameOf(by) : rule}${reason ? `: ${text(reason)}` : ""}`;
}

type Says = Words["job"];

function actions(job: Shown, { boardPath, words, csrf, action: right }: JobPageOptions) {
  const says = words.job;
  const form = (action: string, label: string, look = "") =>
    `<form method="post" action="${boardPath}/ledger/${text(job.id)}/${action}">
  <input type="hidden" name="csrf" value="${text(csrf)}">
  <label for="reason">${says.reason}</label>
  <input id="reason" name="reason" maxlength="300" autocomplete="off"${right?.needsReason ? " required" : ""}>
  <button${look}>${label}</button>
</form>`;
  if (job.status === "unknown") return `<p>${says.nobodyKnows}</p>${form("retry", says.again)}`;
  if (job.status === "failed" || job.status === "cancelled") return form("retry", says.again);
  if (job.finished_at !== null) return "";
  return job.cancellation ? `<p>${says.told}</p>` : form("cancel", says.cancel, ' class="danger"');
}

function partsList(
  children: Record<string, number>,
  parts: JobPageOptions["parts"],
  link: (id: string) => string,
  says: Says,
) {
  const { parts: title, newest } = says;
  const counts = Object.entries(children).map(([status, count]) => `${badge(status as JobState, says)} ${count}`);
  const rows = parts.map(({ id, kind, state }) => [link(id), text(kind), badge(state, says)]);
  return `<h2>${title}</h2><p>${counts.join(" &nbsp; ")}</p>${table(newest, rows)}`;
}

function attemptsTable(attempts: Shown["attempts"], { runs }: Says) {
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
