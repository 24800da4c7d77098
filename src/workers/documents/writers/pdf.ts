import type { Block, BlockOf, Layout } from "../../../services/documents/kinds/layout.ts";
import { matrixOf } from "./matrix.ts";
import { drawChart } from "./pdf/chart.ts";
import { openFonts } from "./pdf/fonts.ts";
import { colours, margin, Paper } from "./pdf/paper.ts";
import { drawTable } from "./pdf/table.ts";
import { wrap } from "./pdf/wrap.ts";
import { readable } from "./text.ts";

const sizes = { title: 14, text: 9.5 };
const lineHeight = 12.5;
const labelWidth = 96;
/** 35 mm: a telephone reads a code of up to 100 modules from it. */
const codeSide = 99;

/** A layout as a PDF on A4; what is in memory does not grow with its pages. The same layout gives the same bytes. */
export async function* writePdf(layout: Layout): AsyncGenerator<Uint8Array> {
  const fonts = await openFonts();
  const paper = new Paper(layout, fonts);
  await fonts.load(layout.title);
  drawTitle(paper, layout.title);
  for (const block of layout.blocks) {
    if (fonts.lacks(textOf(block))) await fonts.load(textOf(block));
    for await (const _ of draw(paper, block)) yield* paper.take();
    yield* paper.take();
  }
  paper.end();
  yield* paper.take();
}

/** What is written in a block, but for the rows of a table. */
function textOf(block: Block): string {
  if (block.type === "fields") return block.fields.map(({ label, value }) => label + value).join();
  if (block.type === "text") return block.text;
  if (block.type === "chart") return block.title + block.unit + block.bars.map(({ label }) => label).join();
  if (block.type === "code") return block.caption;
  if (block.type === "signatures") return block.roles.join();
  const { title = "", columns, totals = [] } = block;
  return title + columns.map((column) => column.title).join() + totals.map(({ label }) => label).join();
}

async function* draw(paper: Paper, block: Block): AsyncGenerator<void> {
  if (block.type === "table") yield* drawTable(paper, block);
  else if (block.type === "fields") drawFields(paper, block);
  else if (block.type === "text") drawText(paper, block);
  else if (block.type === "chart") drawChart(paper, block);
  else if (block.type === "code") drawCode(paper, block);
  else drawSignatures(paper, block);
}

function drawTitle(paper: Paper, title: string) {
  const look = { weight: "bold", size: sizes.title } as const;
  for (const line of wrap(readable(title), paper.font("bold"), look.size, paper.inner)) {
    paper.text(line, margin, paper.y + look.size, look);
    paper.y += look.size * 1.3;
  }
  paper.y += 8;
}

function drawFields(paper: Paper, { fields }: BlockOf<"fields">) {
  const { text: size } = sizes;
  for (const { label, value } of fields) {
    const labels = wrap(readable(label), paper.font("bold"), size, labelWidth - 6);
    const lines = wrap(readable(value) || "—", paper.font(), size, paper.inner - labelWidth);
    for (let n = 0; n < Math.max(labels.length, lines.length); n++) {
      paper.ensureCapacity(lineHeight);
      paper.text(labels[n] ?? "", margin, paper.y + size, { weight: "bold", size });
      paper.text(lines[n] ?? "", margin + labelWidth, paper.y + size, { size });
      paper.y += lineHeight;
    }
    paper.y += 1.5;
  }
  paper.y += 8;
}

function drawText(paper: Paper, { text, isStrong = false }: BlockOf<"text">) {
  const look = { weight: isStrong ? "bold" : "regular", size: sizes.text } as const;
  for (const line of wrap(readable(text), paper.font(look.weight), look.size, paper.inner)) {
    paper.ensureCapacity(lineHeight);
    paper.text(line, margin, paper.y + look.size, look);
    paper.y += lineHeight;
  }
  paper.y += 4;
}

/** As vectors: sharp at any size. */
function drawCode(paper: Paper, { text, caption }: BlockOf<"code">) {
  paper.ensureCapacity(codeSide + 12);
  const matrix = matrixOf(text);
  const side = codeSide / matrix.length;
  const { y } = paper;
  const boxes = matrix.flatMap((modules, row) =>
    darkRuns(modules).map(([from, length]) => {
      return [margin + from * side, y + 4 + row * side, length * side, side] as const;
    }),
  );
  paper.fillAll(boxes, colours.black);
  const x = margin + codeSide + 18;
  const lines = wrap(readable(caption), paper.font(), sizes.text, paper.inner - codeSide - 18);
  for (const [n, line] of lines.entries()) paper.text(line, x, y + 16 + n * lineHeight, { size: sizes.text });
  paper.y = y + codeSide + 16;
}

function darkRuns(modules: readonly boolean[]) {
  const runs: [from: number, length: number][] = [];
  for (const [n, isDark] of modules.entries()) {
    const last = runs.at(-1);
    if (!isDark) continue;
    if (last && last[0] + last[1] === n) last[1]++;
    else runs.push([n, 1]);
  }
  return runs;
}

function drawSignatures(paper: Paper, { roles }: BlockOf<"signatures">) {
  paper.ensureCapacity(40);
  const width = paper.inner / roles.length;
  const { y } = paper;
  for (const [n, role] of roles.entries()) {
    const x = margin + n * width;
    const end = x + paper.font().width(role, sizes.text) + 6;
    paper.text(readable(role), x, y + 26, { size: sizes.text });
    paper.line(end, y + 28, x + width - 14, y + 28);
  }
  paper.y = y + 40;
}
