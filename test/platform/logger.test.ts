import printer from "node:console";
import { format } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Log, logConsole } from "../../src/platform/logger.ts";

const lines: [level: string, ...args: unknown[]][] = [];
const levels = ["debug", "info", "warn", "error"] as const;
const log = Object.fromEntries(
  levels.map((level) => [level, (...args: unknown[]) => lines.push([level, ...args])]),
) as unknown as Log;
let end: () => void;
beforeEach(() => {
  lines.length = 0;
  end = logConsole(log);
});
afterEach(() => end());

test("what a library prints to the console becomes a line of the log", () => {
  printer.warn('IMPORTANT! Eviction policy is %s. It should be "noeviction"', "allkeys-lru");
  printer.info("connected");
  expect(lines).toEqual([
    ["warn", { printed: "IMPORTANT! Eviction policy is allkeys-lru. It should be <value>" }, "a library printed this"],
    ["info", { printed: "connected" }, "a library printed this"],
  ]);
});

test("no address and no password is in such a line", () => {
  printer.error(format("cannot reach %s for %s", "redis://:hunter2@redis:6379", "buyer@shop.test"));
  expect(JSON.stringify(lines)).not.toMatch(/hunter2|buyer@/);
});

test("a warning of Node becomes a line of the log", async () => {
  process.emitWarning("a thing is deprecated", "DeprecationWarning");
  await vi.waitFor(() => expect(lines).toEqual([["warn", { err: expect.any(Error) }, "Node warns"]]));
});

test("the console prints again when the log is closed", () => {
  const taken = printer.log;
  end();
  expect(printer.log).not.toBe(taken);
});
