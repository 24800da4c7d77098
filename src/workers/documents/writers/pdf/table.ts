import {
  type BlockOf,
  type Cell,
  type Column,
  grouped,
  roubles,
  type Total,
} from "../../../../services/documents/kinds/layout.ts";
import { plain, readable } from "../text.ts";
import type { Weight } from "./fonts.ts";
import { colours, margin, type Paper } from "./paper.ts";
import { wrap } from "./wrap.ts";

const padding = { x: 3.5, y: 2.5 };
const defaultSize = 8;
/** Tables with many columns. */
const smallSize = 7;
const manyColumns = 9;

type Side = "left" | "right" | "center";

interface PrintedCell {
  lines: readonly string[];
  side: Side;
}

interface Grid {
  widths: readonly number[];
  size: number;
  lineHeight: number;
}

/** A table whose head is repeated on each sheet; its rows are drawn as they come, and after each sheet it pauses. */
export async function* drawTable(paper: Paper, table: BlockOf<"table">): AsyncGenerator<void> {
  const { title, columns, rows, totals = [] } = table;
  const grid = gridOf(paper, columns);
  const head = columns.map(({ title }, n) => printed(paper, grid, title, n, "center", "bold"));
  if (title) drawTitle(paper, title);
  paper.ensureCapacity(heightOf(grid, head) * 3);
  drawRow(paper, grid, head, "bold", colours.header);
  for await (const row of rows) {
    for (const cell of row) if (typeof cell === "string" && paper.fonts.lacks(cell)) await paper.fonts.load(cell);
    const cells = columns.map((column, n) => printed(paper, grid, shown(column, row[n] ?? ""), n, sideOf(column)));
    const { y } = paper;
    place(paper, grid, cells, head);
    if (paper.y <= y) yield;
  }
  for (const total of totals) drawTotal(paper, grid, columns, total, head);
  paper.y += 8;
}

function drawTitle(paper: Paper, title: string) {
  paper.ensureCapacity(60);
  paper.text(readable(title), margin, paper.y + 10, { weight: "bold", size: 9.5 });
  paper.y += 16;
}

function gridOf(paper: Paper, columns: readonly Column[]): Grid {
  const room = columns.reduce((sum, { width }) => sum + width, 0);
  const size = columns.length >= manyColumns ? smallSize : defaultSize;
  return { widths: columns.map(({ width }) => (paper.inner * width) / room), size, lineHeight: size * 1.22 };
}

function printed(paper: Paper, grid: Grid, text: string, n: number, side: Side, weight: Weight = "regular") {
  const width = (grid.widths[n] ?? 0) - 2 * padding.x;
  return { lines: wrap(text, paper.font(weight), grid.size, width), side };
}

/** On this sheet if it fits, else on the next one; only what is higher than a sheet is parted. */
function place(paper: Paper, grid: Grid, cells: readonly PrintedCell[], head: readonly PrintedCell[]) {
  const turn = () => {
    paper.turn();
    drawRow(paper, grid, head, "bold", colours.header);
  };
  if (paper.y + heightOf(grid, cells) > paper.bottom) turn();
  let rest = cells;
  for (;;) {
    const fitting = Math.max(1, Math.floor((paper.bottom - paper.y - 2 * padding.y) / grid.lineHeight));
    drawRow(
      paper,
      grid,
      rest.map((cell) => ({ ...cell, lines: cell.lines.slice(0, fitting) })),
      "regular",
    );
    rest = rest.map((cell) => ({ ...cell, lines: cell.lines.slice(fitting) }));
    if (rest.every(({ lines }) => lines.length === 0)) return;
    turn();
  }
}

function drawRow(paper: Paper, grid: Grid, cells: readonly PrintedCell[], weight: Weight, fill?: string) {
  const { y } = paper;
  const height = heightOf(grid, cells);
  if (fill) paper.fill(margin, y, paper.inner, height, fill);
  paper.frames(margin, y, grid.widths, height);
  let x = margin;
  for (const [n, { lines, side }] of cells.entries()) {
    const width = grid.widths[n] ?? 0;
    drawLines(paper, grid, lines, { x: x + padding.x, y: y + padding.y, width: width - 2 * padding.x, side }, weight);
    x += width;
  }
  paper.y = y + height;
}

interface Room {
  x: number;
  y: number;
  width: number;
  side: Side;
}

function drawLines(paper: Paper, grid: Grid, lines: readonly string[], room: Room, weight: Weight) {
  const { size, lineHeight } = grid;
  for (const [n, line] of lines.entries()) {
    const free = room.side === "left" ? 0 : room.width - paper.font(weight).width(line, size);
    const indent = room.side === "center" ? free / 2 : free;
    paper.text(line, room.x + indent, room.y + n * lineHeight + size * 0.95, { weight, size });
  }
}

/** A total has more digits than any of its parts, and its label takes what is left of it. */
function drawTotal(paper: Paper, grid: Grid, columns: readonly Column[], total: Total, head: readonly PrintedCell[]) {
  const text = total.kind === "money" ? roubles(total.value) : grouped(total.value);
  const last = columns.length - 1;
  const [labelEnd, valueEnd] = total.kind === "money" ? [last - 1, last + 1] : spanOfCount(columns);
  const sum = (from: number, to: number) => grid.widths.slice(from, to).reduce((all, width) => all + width, 0);
  const widths = [sum(0, labelEnd), sum(labelEnd, valueEnd), sum(valueEnd, last + 1)].filter((width) => width > 0);
  const height = grid.lineHeight + 2 * padding.y;
  if (paper.y + height > paper.bottom) {
    paper.turn();
    drawRow(paper, grid, head, "bold", colours.header);
  }
  const { y } = paper;
  paper.frames(margin, y, widths, height);
  let x = margin;
  for (const [n, line] of [total.label, text].entries()) {
    const width = widths[n] ?? 0;
    const room = { x: x + padding.x, y: y + padding.y, width: width - 2 * padding.x, side: "right" as const };
    drawLines(paper, grid, [readable(line)], room, "bold");
    x += width;
  }
  paper.y = y + height;
}

function spanOfCount(columns: readonly Column[]): [from: number, to: number] {
  const at = columns.findLastIndex(({ kind }) => kind === "count");
  return [Math.max(1, at - 1), Math.max(1, at) + 1];
}

function heightOf({ lineHeight }: Grid, cells: readonly PrintedCell[]) {
  let lines = 1;
  for (const cell of cells) lines = Math.max(lines, cell.lines.length);
  return lines * lineHeight + 2 * padding.y;
}

function shown({ kind }: Column, given: Cell) {
  const value = plain(given);
  if (typeof value === "string") return readable(value);
  return kind === "money" ? roubles(value) : grouped(value);
}

function sideOf({ kind }: Column): Side {
  return kind === "text" ? "left" : "right";
}
