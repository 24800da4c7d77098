import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine, markdownTable } from "../../bench/support/statistics.ts";
import type { Goal, Result } from "./scenarios.ts";

export const isMet = ({ value, limit }: Goal) => value <= limit;

const round = (value: number) => String(Math.round(value * 10) / 10);

/** Writes `autoscale.md`, `autoscale.json` and a picture of each scenario into a folder. */
export function writeReport(folder: string, results: readonly Result[], seconds: number) {
  mkdirSync(folder, { recursive: true });
  const rows = results.flatMap(({ title, goals }) =>
    goals.map((one) => [
      one.id,
      title,
      one.what,
      `${round(one.value)} ${one.unit}`,
      `${round(one.limit)}`,
      isMet(one) ? "met" : "missed",
    ]),
  );
  const pictures = results.map((result) => {
    const name = `autoscale-${result.name}.svg`;
    writeFileSync(join(folder, name), picture(result));
    return `![${result.title}](${name})`;
  });
  const text = [
    "# Autoscaling",
    `\`npm run autoscale-sim\`: real worker processes as pods, asked for by models of KEDA and the HPA that get their number over HTTP from the real endpoint, of two replicas in turn. Time is squeezed five times but where it says "ours"; all other figures are seconds of the cluster. A pod's process is loaded beforehand and begins 3 s after the request for it, but for the first job, where it starts from nothing. It took ${round(seconds)} s. ${machine()}.`,
    markdownTable(["goal", "scenario", "figure", "measured", "at most", ""], rows),
    ...pictures,
  ];
  writeFileSync(join(folder, "autoscale.md"), `${text.join("\n\n")}\n`);
  const figures = results.map(({ name, goals, podSeconds }) => ({ name, podSeconds: Math.round(podSeconds), goals }));
  writeFileSync(
    join(folder, "autoscale.json"),
    `${JSON.stringify({ seconds: Math.round(seconds), figures }, null, 2)}\n`,
  );
}

const [width, height, margin, top] = [900, 400, 50, 40];
const [jobsTop, jobsBottom, podsTop, podsBottom] = [top, 215, 245, height - 40];

/** Above jobs, below pods, over the same time. */
function picture({ title, moments, goals, podSeconds }: Result) {
  const end = Math.max(1, ...moments.map(({ seconds }) => seconds));
  const mostJobs = Math.max(1, ...moments.map(({ ready, active }) => Math.max(ready, active)));
  const mostPods = Math.max(1, ...moments.map(({ desired, replicas }) => Math.max(desired ?? 0, replicas)));
  const x = (seconds: number) => margin + (seconds / end) * (width - 2 * margin);
  const jobsY = (jobs: number) => jobsBottom - (jobs / mostJobs) * (jobsBottom - jobsTop);
  const podsY = (pods: number) => podsBottom - (pods / mostPods) * (podsBottom - podsTop);
  const steps = (y: (value: number) => number, read: (moment: Result["moments"][number]) => number | null) => {
    let path = "";
    let before: number | null = null;
    for (const moment of moments) {
      const value = read(moment);
      if (value !== null) {
        const [left, high] = [x(moment.seconds).toFixed(1), y(value).toFixed(1)];
        path += before === null ? `M${left},${high}` : `H${left}V${high}`;
      }
      before = value;
    }
    return path;
  };
  const line = (path: string, color: string, more = "") =>
    `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.8"${more}/>`;
  const axis = (y: number, most: number, bottom: number, name: string) =>
    `<line x1="${margin}" y1="${bottom}" x2="${width - margin}" y2="${bottom}" stroke="#cbd5e1"/>` +
    `<text x="${margin - 6}" y="${y + 4}" text-anchor="end">${most}</text>` +
    `<text x="${margin - 6}" y="${bottom + 4}" text-anchor="end">0</text>` +
    `<text x="${width - margin}" y="${y - 4}" text-anchor="end" fill="#475569">${name}</text>`;
  const ticks = Array.from({ length: 6 }, (_, index) => (end * index) / 5).map(
    (at) => `<text x="${x(at)}" y="${podsBottom + 16}" text-anchor="middle">${Math.round(at)} s</text>`,
  );
  const legend = (entries: [string, string][], y: number) =>
    entries
      .map(([name, color], at) => `<text x="${margin + 4 + at * 110}" y="${y}" fill="${color}">${name}</text>`)
      .join("");
  const verdict = goals
    .map((one) => `${one.id} ${round(one.value)} (at most ${round(one.limit)}) ${isMet(one) ? "met" : "MISSED"}`)
    .join("; ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${margin}" y="18" font-size="14" fill="#0f172a">${title}</text>
<text x="${width - margin}" y="18" text-anchor="end" fill="#475569">${Math.round(podSeconds)} pod-seconds</text>
${axis(jobsTop, mostJobs, jobsBottom, "jobs")}
${axis(podsTop, mostPods, podsBottom, "pods")}
${ticks.join("\n")}
${line(
  steps(jobsY, ({ ready }) => ready),
  "#2563eb",
)}
${line(
  steps(jobsY, ({ active }) => active),
  "#ea580c",
)}
${legend(
  [
    ["ready", "#2563eb"],
    ["running", "#ea580c"],
  ],
  jobsTop - 6,
)}
${line(
  steps(podsY, ({ desired }) => desired),
  "#9333ea",
  ' stroke-dasharray="4 3"',
)}
${line(
  steps(podsY, ({ replicas }) => replicas),
  "#0f172a",
)}
${line(
  steps(podsY, ({ podsReady }) => podsReady),
  "#15803d",
)}
${legend(
  [
    ["endpoint says", "#9333ea"],
    ["replicas", "#0f172a"],
    ["pods that work", "#15803d"],
  ],
  podsTop - 6,
)}
<text x="${margin}" y="${height - 6}" fill="#334155">${verdict}</text>
</svg>
`;
}
