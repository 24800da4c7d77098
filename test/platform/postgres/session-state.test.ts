import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

// A pooler gives the next transaction another connection: what a session keeps is lost, or found by another client.
const kept: Record<string, RegExp> = {
  "a lock that outlives its transaction": /pg_(try_)?advisory_lock(_shared)?\(/,
  // On a line of its own, SET may belong to an UPDATE; of a role, it is advice to people.
  "a setting that outlives its transaction":
    /["'`;(][ \t]*(SET (?!LOCAL\b|TRANSACTION\b)|RESET )[a-zA-Z]|(?<!ALTER ROLE … )\bSET (SESSION\b|TIME ZONE\b|ROLE\b|[a-z_]+_(timeout|path|mem|commit)\b)/,
  "a setting by a function": /set_config\((?!.*, true\))/,
  "a channel to listen on": /(^|["'`;(])\s*(LISTEN|UNLISTEN|NOTIFY) /m,
  "a temporary table": /CREATE (GLOBAL |LOCAL )?TEMP/,
  "a prepared statement by SQL": /(^|["'`;(])\s*(PREPARE|DEALLOCATE) [a-z]/m,
  "a cursor that outlives its transaction": /WITH HOLD/,
};
const files = globSync("{src,dev}/**/*.ts").map((path) => ({ path, text: readFileSync(path, "utf8") }));
const foundIn = (one: RegExp) => files.filter(({ text }) => one.test(text)).map(({ path }) => path);

test.each(Object.entries(kept))("no statement keeps %s", (_what, pattern) => {
  expect(files.length).toBeGreaterThan(300);
  expect(foundIn(pattern)).toEqual([]);
});

test.each([
  ['await holder.query("SET lock_timeout = 0");', "a setting that outlives its transaction"],
  ["`\n    SET search_path = shop`", "a setting that outlives its transaction"],
  ["'RESET ALL'", "a setting that outlives its transaction"],
  ["`SELECT pg_advisory_lock(7)`", "a lock that outlives its transaction"],
  ["SELECT set_config('lock_timeout', '0', false)", "a setting by a function"],
  ['query("LISTEN jobs")', "a channel to listen on"],
  ["`\n    CREATE TEMPORARY TABLE rows (id int)`", "a temporary table"],
  ["'DECLARE all CURSOR WITH HOLD FOR SELECT 1'", "a cursor that outlives its transaction"],
  ["`PREPARE one AS SELECT 1`", "a prepared statement by SQL"],
])("%j is found", (text, what) => {
  expect(kept[what]?.test(text)).toBe(true);
});

test("only one place reads URLs of Postgres", () => {
  expect(foundIn(/new URL\([^)]*(database|postgres)/i)).toEqual([]);
});
