import { mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { paint, showLine } from "./console.ts";

export interface ProcessLog {
  write(line: string): void;
  /** The latest lines, for a report. */
  tail(): string[];
}

const maxFileBytes = 10_000_000;
const styles = ["green", "magenta", "blue", "yellow", "cyan"] as const;
const hidden = new Set(["level", "time", "pid", "hostname", "msg", "err", "name", "v"]);

/** Keeps the lines of a process in `<folder>/<name>.log` and, if `shown`, writes them readably on the console. */
export function openLog(folder: string, name: string, shown: boolean): ProcessLog {
  mkdirSync(folder, { recursive: true });
  const file = openSync(rotated(join(folder, `${name}.log`)), "a");
  const latest: string[] = [];
  return {
    write(line) {
      latest.push(line);
      if (latest.length > 15) latest.shift();
      writeSync(file, `${line}\n`);
      if (shown) show(name, line);
    },
    tail: () => [...latest],
  };
}

function rotated(path: string): string {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxFileBytes) renameSync(path, `${path}.1`);
  return path;
}

function show(name: string, line: string): void {
  const style = styles[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % styles.length] ?? "green";
  const entry = parse(line);
  if (entry) showLine(name, readable(entry), style, new Date(entry.time as string | number));
  else showLine(name, line, style);
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    return "time" in entry ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** One line of pino as people read it: what happened, then the details, then an error with its causes. */
function readable(entry: Record<string, unknown>): string {
  const details = Object.entries(entry)
    .filter(([key, value]) => !hidden.has(key) && value !== undefined && value !== null)
    .map(([key, value]) => paint("dim", `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`));
  const { err, level, msg = "" } = entry as { err?: LoggedError; level: unknown; msg?: string };
  const error = err ? [`\n${textOf(err)}`.replaceAll("\n", "\n    ")] : [];
  return [`${severity(level)}${msg}`, ...details, ...error].join(" ");
}

/** As `errorLine` of `src/platform/describe-error.ts` writes it: the stack has the frames alone. */
interface LoggedError {
  type?: string;
  message?: string;
  code?: string | number;
  stack?: string;
  cause?: LoggedError;
}

function textOf({ type = "Error", message = "", code, stack, cause }: LoggedError): string {
  const head = `${type}: ${message}${code === undefined ? "" : ` (${code})`}`;
  return [head, stack, cause && `because of ${textOf(cause)}`].filter(Boolean).join("\n");
}

function severity(level: unknown): string {
  if (level === "error" || level === "fatal" || Number(level) >= 50) return `${paint("red", "ERROR")} `;
  if (level === "warn" || Number(level) === 40) return `${paint("yellow", "WARN")} `;
  return "";
}
