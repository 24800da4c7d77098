import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
const began = performance.now();

/** Colours a text, if a person looks at it. */
export function paint(style: Style, text: string): string {
  return coloured ? styleText(style, text) : text;
}

/** Writes a line with the seconds since the start, while people wait for it. */
export function step(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${paint("dim", `${seconds.padStart(5)} s`)}  ${text}`);
}

/** Writes a line about the stack itself in between the lines of its processes. */
export function say(text: string): void {
  showLine("stack", text, "cyan");
}

/** Writes a line of one of the processes, with the time. */
export function showLine(name: string, text: string, style: Style, time = new Date()): void {
  const clock = time.toTimeString().slice(0, 8);
  console.log(`${paint("dim", clock)} ${paint(style, name.padEnd(16))} ${text}`);
}
