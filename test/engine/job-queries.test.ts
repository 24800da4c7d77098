import pg from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { type JobFilter, jobQueries } from "../../src/engine/job-queries.ts";
import { useDatabase } from "../support/database.ts";

const rows = 1_000_000;
/** Ids in the order of time, as the application makes them. */
const idSql = (n: string) => `(lpad(to_hex(1700000000000 + ${n}), 12, '0') || '7000800000000000' || '0000')::uuid`;

describe("among a million jobs", () => {
  const db = useDatabase();

  beforeAll(async () => {
    const client = new pg.Client(String((db.options as { url?: string }).url));
    await client.connect();
    await client.query(`
      SET session_replication_role = replica; SET synchronous_commit = off;
      INSERT INTO job (id, queue, kind, payload, payload_v, entity_type, entity_id, state, max_failures, priority,
                       error_key, parent_id, claimed_at, finished_at, actor_id)
      SELECT ${idSql("n")}, (ARRAY['images', 'documents', 'mail', 'maintenance'])[n % 4 + 1],
        (ARRAY['process-image', 'render-document', 'send-mail', 'tidy-up'])[n % 4 + 1], '{}', 1, 'offer',
        (n % 50000)::text, CASE WHEN n % 101 < 2 THEN 'failed' ELSE 'succeeded' END, 5, 50,
        CASE WHEN n % 101 < 2 THEN 'Error: cause ' || n % 7 END,
        CASE WHEN n % 10 = 0 THEN ${idSql("(n / 1000) * 1000 + 1")} END, now(), now(), NULL
      FROM generate_series(1, ${rows}) n;
      ANALYZE job;`);
    await client.end();
  }, 60_000);

  /** Of the 100 children that every thousand jobs has. */
  const parentId = `${(1_700_000_005_001).toString(16).padStart(12, "0")}-7000-8000-000000000000`.replace(
    /^.{8}/,
    "$&-",
  );
  /** And how many jobs of one page of 300 they find. */
  const filters: [string, JobFilter, number][] = [
    ["no filter", {}, 300],
    ["a state", { state: "succeeded" }, 300],
    ["an unfinished state", { state: "running" }, 0],
    ["a bad state", { state: "failed" }, 300],
    ["a kind", { kind: "send-mail" }, 300],
    ["a queue", { queue: "mail" }, 300],
    ["a queue of kinds that the code has forgotten", { queue: "maintenance" }, 300],
    ["a queue and a state", { queue: "mail", state: "failed" }, 300],
    ["a queue and an unfinished state", { queue: "mail", state: "open" }, 0],
    ["a kind and a bad state", { kind: "send-mail", state: "failed" }, 300],
    ["an entity", { entity: { type: "offer", id: "77" } }, 20],
    ["an entity that has none", { entity: { type: "offer", id: "none" } }, 0],
    ["an entity and a kind", { entity: { type: "offer", id: "77" }, kind: "render-document" }, 20],
    ["an error", { errorKey: "Error: cause 3" }, 300],
    ["an error, a kind and a state", { errorKey: "Error: cause 3", kind: "send-mail", state: "failed" }, 300],
    ["an error that no job had", { errorKey: "Error: none" }, 0],
    ["a parent", { parentId }, 100],
    ["a parent without children", { parentId: "018bcfe6-0000-7000-8000-000000000000" }, 0],
    ["a parent and a state", { parentId, state: "failed" }, 2],
  ];
  const list = (filter: JobFilter) => jobQueries.list(db.manager, filter, undefined, 300);

  test.each(filters)("a list by %s comes from an index", async (_name, filter, found) => {
    for (const { text, values } of await recordQueries(db, () => list(filter))) {
      const [plan] = await db.query(`EXPLAIN (FORMAT JSON) ${text}`, values);
      expect(JSON.stringify(plan), text).toContain("Index");
      expect(JSON.stringify(plan), text).not.toContain("Seq Scan");
    }
    expect(await list(filter)).toHaveLength(found);
  });
});

/** Texts and values of the statements that `work` sends to this database. */
async function recordQueries(db: ReturnType<typeof useDatabase>, work: () => Promise<unknown>) {
  const name = new URL(String((db.options as { url?: string }).url)).pathname.slice(1);
  const sent: { text: string; values: unknown[] }[] = [];
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [text, values] = args as [unknown, unknown[]];
    if (typeof text === "string" && this.database === name) sent.push({ text, values });
    return (query as (...args: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  try {
    await work();
    return sent;
  } finally {
    pg.Client.prototype.query = query;
  }
}
