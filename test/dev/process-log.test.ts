import { join } from "node:path";
import { expect, inject, test, vi } from "vitest";
import { openLog } from "../../dev/stack/process-log.ts";
import { errorLine } from "../../src/platform/describe-error.ts";

test("the console says of an error what it is, its code, its causes and where it was thrown", () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const cause = Object.assign(new Error("no space left on device"), { code: "53100" });
  const err = errorLine(new TypeError("the relay stands still", { cause }));
  const { write } = openLog(join(inject("directory"), "process-log"), "api", true);
  write(JSON.stringify({ level: "warn", time: Date.now(), msg: "relay failed", err }));
  const [shown = ""] = log.mock.calls.map(String);
  log.mockRestore();
  expect(shown).toMatch(/relay failed.*\n {4}TypeError: the relay stands still\n {8}at /);
  expect(shown).toMatch(/\n {4}because of Error: no space left on device \(53100\)\n {8}at /);
});
