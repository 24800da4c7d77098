import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, expect, inject, test } from "vitest";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import type { Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";

const directory = join(inject("directory"), "postgres-test");
const watchdog = startWatchdog();
const started: Service[] = [];

async function start(dataDirectory: string) {
  const service = await startPostgres({ dataDirectory, fast: true });
  started.push(service);
  watchdog.watch({ databases: started.map(({ pid }) => pid) });
  return service;
}

async function query(url: string, sql: string) {
  const client = new pg.Client(url);
  await client.connect();
  return (await client.query<Record<string, unknown>>(sql).finally(() => client.end())).rows;
}

afterAll(async () => {
  await Promise.all(started.map(({ stop }) => stop()));
  await watchdog.release();
});

test("keeps its data, and replaces a server that a killed supervisor has left on them", async () => {
  const left = await start(directory);
  await query(left.url, "CREATE TABLE kept AS SELECT 'Ёлка' AS word");
  const next = await start(directory);
  expect(await left.exited).toBe("exit code 0");
  expect(await query(next.url, "SELECT lower(word) AS word FROM kept")).toEqual([{ word: "ёлка" }]);
});

test("knows Cyrillic letters in trigrams and Russian words in full text search", async () => {
  const { url } = started.at(-1) as Service;
  await query(url, "CREATE EXTENSION pg_trgm");
  const sql = "SELECT similarity('фильтр', 'Фильтры') > 0.5 AS near, to_tsvector('russian', 'Фильтры')::text AS words";
  expect(await query(url, sql)).toEqual([{ near: true, words: "'фильтр':1" }]);
});

test.runIf(process.getuid?.() === 0)("runs as root below a folder that no other user may enter", async () => {
  const home = join(inject("directory"), "home");
  mkdirSync(home, { mode: 0o700 });
  const dataDirectory = join(home, "postgres");
  const { url, stop } = await start(dataDirectory);
  expect(await query(url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await stop();
  removePostgres(dataDirectory);
  expect(readdirSync(home)).toEqual([]);
});
