import type { z } from "zod";
import type { JobView } from "../views/job.ts";
import { escapeHtml } from "./login-page.ts";

type Shown = z.output<typeof JobView>;

/** The ledger's page of one job, for people; `mayAct` adds the buttons. Everything in it is escaped. */
export function jobPage(job: Shown, boardPath: string, mayAct: boolean) {
  const row = (name: string, value: unknown) =>
    value === null || value === undefined ? "" : `<dt>${name}</dt><dd>${escapeHtml(String(value))}</dd>`;
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  const button = (action: string, label: string) =>
    `<form method="post" action="${boardPath}/ledger/${job.id}/${action}">
      <input name="reason" maxlength="300" placeholder="Reason" aria-label="Reason">
      <button>${label}</button></form>`;
  const isOver = job.finished_at !== null;
  const canRetry = ["failed", "cancelled", "unknown"].includes(job.status);
  const link = (id: string) => `<a href="${boardPath}/ledger/${id}">${id}</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(job.kind)}: ${job.status}</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
  h1 { font-size: 1.4rem; margin: .5rem 0 0; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
  .status { display: inline-block; padding: .1rem .6rem; border-radius: 999px; font-size: .9rem; color: #fff; background: #5b6675; }
  .succeeded { background: #15803d; } .failed, .unknown { background: #b91c1c; } .running, .waiting { background: #1d4ed8; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; }
  dt { color: light-dark(#566, #9aa7b5); } dd { margin: 0; overflow-wrap: anywhere; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .6rem .35rem 0; vertical-align: top; }
  td:first-child { white-space: nowrap; }
  tr { border-bottom: 1px solid light-dark(#dde3ea, #2c3542); } td:last-child { overflow-wrap: anywhere; }
  form { display: flex; gap: .5rem; flex-wrap: wrap; margin: .5rem 0; }
  input { flex: 1 1 14rem; padding: .5rem .7rem; border-radius: 8px; border: 1px solid light-dark(#c5cdd6, #3a4552); font: inherit;
          background: transparent; color: inherit; }
  button { padding: .5rem 1rem; border: 0; border-radius: 8px; font: inherit; font-weight: 600; color: #fff; background: #2563eb; cursor: pointer; }
  @media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
</style>
</head>
<body>
<a href="${boardPath}/queue/${job.queue}">← ${job.queue}</a>
<h1>${escapeHtml(job.kind)} <span class="status ${job.status}">${job.status}</span></h1>
<p>${escapeHtml(job.description ?? "A kind of job that this version does not know.")}</p>
<dl>
${row("id", job.id)}${row("belongs to", job.entity && `${job.entity.type} ${job.entity.id}`)}
${job.parent_id ? `<dt>part of</dt><dd>${link(job.parent_id)}</dd>` : ""}
${row("parts", json(job.children))}
${row("progress", job.progress && `${job.progress.done} of ${job.progress.total ?? "?"}`)}
${row("failures", `${job.failures} of ${job.max_failures}`)}
${row("promised", job.created_at)}${row("handed out", job.run_at)}${row("first started", job.started_at)}${row("ended", job.finished_at)}
${row("cancelled", job.cancellation && [job.cancellation.at, job.cancellation.by, job.cancellation.reason].filter(Boolean).join(", "))}
${row("error", job.error?.message)}${row("cause", job.error_key)}${row("result", json(job.result ?? null))}
</dl>
${mayAct && canRetry ? button("retry", "Retry") : ""}${mayAct && !isOver ? button("cancel", "Cancel") : ""}
<h2>Runs that did not succeed</h2>
${job.attempts.length === 0 ? "<p>None.</p>" : attemptsTable(job.attempts)}
</body>
</html>
`;
}

function attemptsTable(attempts: Shown["attempts"]) {
  const rows = attempts.toReversed().map(({ ended_at, outcome, worker, error }) => {
    const cells = [ended_at, outcome, worker ?? "", error?.message ?? ""];
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  });
  const head = ["ended", "how", "worker", "error"].map((name) => `<th>${name}</th>`).join("");
  return `<div class="wide"><table><tr>${head}</tr>${rows.join("")}</table></div>`;
}
