import type { z } from "zod";
import type { Job } from "../../db/entities/job.ts";
import type { JobView } from "../views/job.ts";
import { escapeHtml } from "./login-page.ts";

type Shown = z.output<typeof JobView>;

export interface JobPageOptions {
  boardPath: string;
  /** Adds the buttons. */
  mayAct: boolean;
  /** The newest jobs that are parts of this one. */
  parts: readonly Pick<Job, "id" | "kind" | "state">[];
  /** User who caused it. */
  actor: string | null;
  /** E-mail addresses by id of user. */
  people: ReadonlyMap<string, string>;
  /** Why the last button did nothing. */
  problem?: string | undefined;
}

/** The ledger's page of one job, for people. Everything in it is escaped. */
export function jobPage(job: Shown, options: JobPageOptions) {
  const { boardPath, mayAct, parts, actor, people, problem } = options;
  const link = (id: string) => `<a href="${boardPath}/ledger/${escapeHtml(id)}">${escapeHtml(id)}</a>`;
  const nameOf = (user: string) => escapeHtml(people.get(user) ?? user);
  const facts = [
    fact("Id", `<code>${escapeHtml(job.id)}</code>`),
    fact("Belongs to", job.entity && text(`${job.entity.type} ${job.entity.id}`)),
    fact("Asked for by", actor && nameOf(actor)),
    fact("Part of", job.parent_id && link(job.parent_id)),
    fact("Progress", job.progress && progressBar(job.progress)),
    fact("Failures", text(`${job.failures} of ${job.max_failures}`)),
    fact("Promised", time(job.created_at)),
    fact("Handed out", time(job.run_at)),
    fact("First started", job.started_at && time(job.started_at)),
    fact("Ended", job.finished_at && time(job.finished_at)),
    fact("Cancelled", job.cancellation && cancelledBy(job.cancellation, nameOf)),
    fact(
      "Last error",
      job.error && `${text(job.error.message)}<br><small>${text(job.error.name)}, ${time(job.error.at)}</small>`,
    ),
    fact("Result", job.result == null ? null : `<code>${text(JSON.stringify(job.result))}</code>`),
  ];
  return document(
    `${job.kind}: ${job.status}`,
    `<nav><a href="${boardPath}/queue/${encodeURIComponent(job.queue)}">&larr; Queue ${text(job.queue)}</a></nav>
<h1>${text(job.kind)} ${badge(job.status)}</h1>
<p>${text(job.description ?? "A kind of job that this version does not know.")}</p>
${problem ? `<p class="problem" role="alert">${text(problem)}</p>` : ""}
<dl>${facts.join("")}</dl>
${mayAct ? actions(job, boardPath) : ""}
${job.children ? partsList(job.children, parts, link) : ""}
<h2>Runs that did not succeed</h2>
${job.attempts.length === 0 ? "<p>None.</p>" : attemptsTable(job.attempts)}`,
  );
}

/** What people see instead when the ledger has no such job. */
export function noJobPage(id: string, boardPath: string) {
  return document(
    "No such job",
    `<nav><a href="${boardPath}">&larr; All queues</a></nav>
<h1>No such job</h1>
<p>The ledger knows no job <code>${text(id)}</code>. Jobs that are over are removed from it after a while.</p>`,
  );
}

const text = escapeHtml;

function fact(name: string, html: string | null) {
  return html === null ? "" : `<div><dt>${name}</dt><dd>${html}</dd></div>`;
}

function time(iso: string) {
  return `<time datetime="${text(iso)}">${text(iso.slice(0, 19).replace("T", " "))} UTC</time>`;
}

function badge(status: string) {
  return `<span class="status ${text(status)}">${text(status)}</span>`;
}

function progressBar({ done, total }: NonNullable<Shown["progress"]>) {
  if (total === null) return text(`${done}`);
  return `<progress value="${done}" max="${total}"></progress> ${text(`${done} of ${total}`)}`;
}

function cancelledBy({ at, by, reason }: NonNullable<Shown["cancellation"]>, nameOf: (user: string) => string) {
  return `${time(at)} by ${by ? nameOf(by) : "a rule"}${reason ? `: ${text(reason)}` : ""}`;
}

function actions(job: Shown, boardPath: string) {
  const form = (action: string, label: string, look = "") =>
    `<form method="post" action="${boardPath}/ledger/${text(job.id)}/${action}">
  <label for="reason">Reason</label>
  <input id="reason" name="reason" maxlength="300" autocomplete="off">
  <button${look}>${label}</button>
</form>`;
  if (job.status === "unknown")
    return `<p>Nobody knows whether it happened: to run it again may be to do it twice.</p>${form("retry", "Run it again")}`;
  if (job.status === "failed" || job.status === "cancelled") return form("retry", "Run it again");
  if (job.finished_at !== null) return "";
  return job.cancellation ? "<p>It has been told to stop.</p>" : form("cancel", "Cancel it", ' class="danger"');
}

function partsList(children: Record<string, number>, parts: JobPageOptions["parts"], link: (id: string) => string) {
  const counts = Object.entries(children).map(([status, count]) => `${badge(status)} ${count}`);
  const rows = parts.map(({ id, kind, state }) => [link(id), text(kind), badge(state)]);
  return `<h2>Parts</h2><p>${counts.join(" &nbsp; ")}</p>${table(["Newest", "Kind", "Status"], rows)}`;
}

function attemptsTable(attempts: Shown["attempts"]) {
  const rows = attempts
    .toReversed()
    .map(({ started_at, ended_at, outcome, worker, error }) => [
      started_at ? time(started_at) : "",
      time(ended_at),
      text(outcome),
      text(worker ?? ""),
      error ? text(`${error.name}: ${error.message}`) : "",
    ]);
  return table(["Started", "Ended", "How", "Worker", "Error"], rows);
}

/** Its cells are HTML; on a narrow screen each stands under the name of its column. */
function table(names: readonly string[], rows: readonly string[][]) {
  const cell = (html: string, column: number) => (html ? `<td data-name="${names[column]}">${html}</td>` : "<td></td>");
  const body = rows.map((cells) => `<tr>${cells.map(cell).join("")}</tr>`);
  return `<table><tr>${names.map((name) => `<th>${name}</th>`).join("")}</tr>${body.join("")}</table>`;
}

function document(title: string, body: string) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${text(title)}</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
          --muted: light-dark(#566270, #9aa7b5); --line: light-dark(#dde3ea, #2c3542); }
  body { margin: 0; background: light-dark(#eef1f5, #14181f); color: light-dark(#18202a, #e4e9ef); }
  main { box-sizing: border-box; max-width: 62rem; margin: 1.5rem auto; padding: 1.5rem 2rem 2rem; border-radius: 12px;
         background: light-dark(#fff, #1e242d); box-shadow: 0 8px 30px rgb(0 0 0 / 8%); }
  a { color: light-dark(#1d4fd7, #8ab0ff); }
  h1 { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem; margin: .75rem 0 0; font-size: 1.5rem; line-height: 1.25; }
  h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
  p { margin: .5rem 0; }
  code { font-size: .9em; overflow-wrap: anywhere; }
  small { color: var(--muted); }
  .status { padding: .1rem .65rem; border-radius: 999px; font-size: .85rem; font-weight: 600; line-height: 1.6; color: #fff; background: #5b6675; }
  .succeeded { background: #15803d; } .failed, .unknown { background: #b91c1c; } .running, .waiting { background: #1d4ed8; }
  .problem { padding: .6rem .8rem; border-radius: 8px; color: light-dark(#8a1f11, #ffb4a8); background: light-dark(#fdebe8, #41201b); }
  dl { margin: 1.25rem 0; }
  dl > div { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; padding: .4rem 0; border-top: 1px solid var(--line); }
  dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
  progress { width: 10rem; max-width: 100%; vertical-align: middle; accent-color: #2563eb; }
  form { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; margin: 1rem 0; }
  input { flex: 1 1 12rem; padding: .55rem .7rem; border: 1px solid light-dark(#c5cdd6, #3a4552); border-radius: 8px; font: inherit;
          background: transparent; color: inherit; }
  button { padding: .55rem 1.1rem; border: 0; border-radius: 8px; font: inherit; font-weight: 600; color: #fff; background: #2563eb; cursor: pointer; }
  button:hover { background: #1d4fd7; } .danger { background: #b91c1c; } .danger:hover { background: #991b1b; }
  table { width: 100%; border-collapse: collapse; font-size: .92rem; }
  th, td { padding: .4rem 1rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
  th { color: var(--muted); font-weight: 500; } td { overflow-wrap: anywhere; }
  time { white-space: nowrap; }
  @media (max-width: 40rem) {
    main { margin: 0; padding: 1rem; border-radius: 0; box-shadow: none; min-height: 100vh; }
    dl > div { grid-template-columns: 1fr; gap: 0; }
    button { flex: 1 1 100%; }
    table, tbody, tr, td { display: block; width: auto; } th { display: none; } tr:first-child { display: none; }
    tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
    td { display: grid; grid-template-columns: 5rem 1fr; padding: .1rem 0; border: 0; } td:empty { display: none; }
    td::before { content: attr(data-name); color: var(--muted); } td .status { justify-self: start; }
  }
</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}
