import { type Bar, type BlockOf, grouped } from "../../../../services/documents/kinds/layout.ts";
import { readable } from "../text.ts";
import { colours, margin, type Paper } from "./paper.ts";

const size = 7.5;
const rowHeight = 14;
const plotHeight = 130;
const labelShare = 0.3;
const valueRoom = 70;

/** A bar chart with its title and unit; all of it on one sheet. */
export function drawChart(paper: Paper, chart: BlockOf<"chart">): void {
  const { bars, shape, title, unit } = chart;
  const height = shape === "horizontal" ? bars.length * rowHeight : plotHeight + 14;
  paper.ensureCapacity(height + 34);
  paper.text(readable(`${title}, ${unit}`), margin, paper.y + 10, { weight: "bold", size: 9.5 });
  paper.y += 18;
  const most = Math.max(1, ...bars.map(({ value }) => value));
  if (shape === "horizontal") drawHorizontal(paper, bars, most);
  else drawStanding(paper, bars, most);
  paper.y += 14;
}

function drawHorizontal(paper: Paper, bars: readonly Bar[], most: number) {
  const labelWidth = paper.inner * labelShare;
  const x = margin + labelWidth + 6;
  const room = paper.inner - labelWidth - 6 - valueRoom;
  for (const { label, value } of bars) {
    const { y } = paper;
    const width = (room * Math.max(0, value)) / most;
    paper.text(shortened(paper, readable(label), labelWidth), margin, y + 10, { size });
    if (width > 0) paper.fill(x, y + 2, width, rowHeight - 4, colours.bar);
    paper.text(grouped(value), x + width + 4, y + 10, { size });
    paper.y = y + rowHeight;
  }
}

function drawStanding(paper: Paper, bars: readonly Bar[], most: number) {
  const { y } = paper;
  const axis = 48;
  const x = margin + axis;
  const room = paper.inner - axis;
  const top = ceilingOf(most);
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const height = y + plotHeight * (1 - part);
    const label = grouped(Math.round(top * part));
    paper.line(x, height, x + room, height);
    paper.text(label, x - 4 - paper.font().width(label, size), height + 2.5, { size });
  }
  const step = room / Math.max(1, bars.length);
  const every = Math.ceil((bars.length * 34) / room);
  for (const [n, { label, value }] of bars.entries()) {
    const height = (plotHeight * Math.max(0, value)) / top;
    const left = x + n * step;
    if (height > 0) paper.fill(left + step * 0.15, y + plotHeight - height, step * 0.7, height, colours.bar);
    const middle = left + step / 2 - paper.font().width(label, size) / 2;
    if (n % every === 0) paper.text(readable(label), middle, y + plotHeight + 11, { size });
  }
  paper.y = y + plotHeight + 14;
}

/** A round number that is not below `most`, and whose quarters are round as well. */
function ceilingOf(most: number) {
  const power = 10 ** Math.floor(Math.log10(most));
  const factor = [1, 2, 4, 6, 8].find((one) => one * power >= most) ?? 10;
  return Math.max(4, factor * power);
}

function shortened(paper: Paper, text: string, width: number) {
  const font = paper.font();
  if (font.width(text, size) <= width) return text;
  let shown = "";
  let used = font.width("…", size);
  for (const character of text) {
    used += font.width(character, size);
    if (used > width) break;
    shown += character;
  }
  return `${shown}…`;
}
