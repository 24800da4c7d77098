import type { RunResult } from "../run.ts";
import type { Mark, Sample } from "./timeline.ts";

const width = 1_000;
const chart = { left: 60, right: 20, top: 20, height: 260 };
const rowHeight = 14;

/** Colours by what a fault hits. */
const colours: [RegExp, string][] = [
  [/^(Redis|FLUSHALL)/, "#d62728"],
  [/^(Postgres|cut)/, "#1f77b4"],
  [/^SMTP/, "#9467bd"],
  [/^S3/, "#8c564b"],
  [/frozen/, "#ff7f0e"],
  [/./, "#555555"],
];

/** Draws a run: jobs promised and finished as curves over time, and below them each fault as a bar with its name. */
export function drawRun({ timeline, name, seed, variant, jobs }: RunResult & { jobs: number }): string {
  const { marks, samples } = timeline;
  const endMs = Math.max(1, samples.at(-1)?.at ?? 1, ...marks.map(({ until }) => until));
  const most = Math.max(1, jobs, ...samples.map(({ promised, finished }) => Math.max(promised, finished)));
  const x = (ms: number) => chart.left + (ms / endMs) * (width - chart.left - chart.right);
  const y = (count: number) => chart.top + chart.height - (count / most) * chart.height;
  const lanes = layOut(marks, x);
  const height = chart.top + chart.height + 40 + (Math.max(0, ...lanes.map(({ lane }) => lane)) + 1) * rowHeight + 10;
  const curve = (value: (sample: Sample) => number, colour: string) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${samples
      .map((sample) => `${x(sample.at).toFixed(1)},${y(value(sample)).toFixed(1)}`)
      .join(" ")}"/>`;
  const bottom = chart.top + chart.height;
  const ticks = ticksOf(endMs / 1_000).map(
    (second) => `<text x="${x(second * 1_000)}" y="${bottom + 16}" text-anchor="middle">${second} s</text>`,
  );
  const levels = [0, most / 2, most].map(
    (level) => `<text x="${chart.left - 8}" y="${y(level) + 4}" text-anchor="end">${Math.round(level)}</text>
  <line x1="${chart.left}" x2="${width - chart.right}" y1="${y(level)}" y2="${y(level)}" stroke="#ddd"/>`,
  );
  const bars = lanes.map(({ mark, lane }) => {
    const top = bottom + 30 + lane * rowHeight;
    const [left, right] = [x(mark.at), Math.max(x(mark.at) + 2, x(mark.until))];
    const colour = colours.find(([pattern]) => pattern.test(mark.name))?.[1];
    return `<line x1="${left}" x2="${left}" y1="${chart.top}" y2="${top}" stroke="${colour}" stroke-opacity="0.25"/>
  <rect x="${left.toFixed(1)}" y="${top}" width="${(right - left).toFixed(1)}" height="9" fill="${colour}"/>
  <text x="${(right + 3).toFixed(1)}" y="${top + 9}">${escapeXml(mark.name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">
  <rect width="${width}" height="${height}" fill="white"/>
  <text x="${chart.left}" y="13">${escapeXml(`${name}, seed ${seed}, ${variant}`)}: promised (blue), finished (green)</text>
  ${[...levels, ...ticks, ...bars].join("\n  ")}
  ${curve(({ promised }) => promised, "#4c78a8")}
  ${curve(({ finished }) => finished, "#2ca02c")}
</svg>
`;
}

/** About so wide a letter is at this size. */
const letter = 5.4;

/** Each mark in the first lane that is free where it and its name are. */
function layOut(marks: readonly Mark[], x: (ms: number) => number) {
  const ends: number[] = [];
  return [...marks]
    .sort((a, b) => a.at - b.at)
    .map((mark) => {
      const lane = ends.findIndex((end) => end < x(mark.at));
      const free = lane < 0 ? ends.length : lane;
      ends[free] = Math.max(x(mark.until), x(mark.at) + 2) + mark.name.length * letter + 8;
      return { mark, lane: free };
    });
}

function ticksOf(seconds: number) {
  const step = [5, 10, 20, 30, 60, 120, 300].find((one) => seconds / one <= 14) ?? 600;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, n) => n * step);
}

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
