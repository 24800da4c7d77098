import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, inject, it, vi } from "vitest";
import { createDataSource, pendingOf } from "../../src/db/data-source.ts";
import { useDatabase } from "../support/database.ts";

const db = useDatabase();
const newest = () => db.migrations.at(-1)?.constructor.name;

it("names nothing where all migrations are, be there newer ones or not", async () => {
  await db.query(`INSERT INTO migrations ("timestamp", name) VALUES (9999999999999, 'OfTheNextVersion')`);
  expect(await pendingOf(db.manager)).toEqual({ pending: [], foreign: ["OfTheNextVersion"] });
});

it("names all migrations of a database that never saw one", async () => {
  const empty = await createDataSource(new URL("/postgres", inject("postgresUrl")).href).initialize();
  const { pending } = await pendingOf(empty.manager);
  await empty.destroy();
  expect(pending).toHaveLength(db.migrations.length);
  expect(pending.at(-1)).toBe(newest());
});

it("lets an init container wait until the last migration is there", async () => {
  const [row] = await db.query("DELETE FROM migrations WHERE name = $1 RETURNING *", [newest()]).then(([rows]) => rows);
  const { PATH } = process.env;
  const env = { PATH, ENVIRONMENT: "local", DATABASE_URL: String((db.options as { url?: string }).url) };
  const waiting = spawn(process.execPath, ["--import", "tsx", "src/db/wait-for-schema.ts"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  waiting.stdout.on("data", (part) => {
    said += part;
  });
  await vi.waitFor(() => expect(said).toContain(`waiting for: ${newest()}`), 15_000);
  expect(waiting.exitCode).toBeNull();
  await db.query(`INSERT INTO migrations ("timestamp", name) VALUES ($1, $2)`, [row.timestamp, row.name]);
  const [code] = await once(waiting, "exit");
  expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining("schema is current") });
});
