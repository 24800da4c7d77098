import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { timelineTypes } from "../../../../src/api/routes/audit/timeline.ts";
import { call, useApi, userIds } from "../../../support/api.ts";
import { addBusiness, known } from "../../../support/business.ts";

interface Page {
  items: { at: string; kind: string; title: string; ref: string }[];
  next: string | null;
}

/** Entities that belong to the history of another, or are a history themselves. */
const without = [
  ...["cart", "cart-offer", "order-offer", "waybill-offer", "mail-suppression"],
  ...["audit-entry", "balance-entry", "event", "stock-movement", "refund"],
];

test("each entity has a timeline, or is named as one that needs none", () => {
  const files = readdirSync("src/db/entities", { recursive: true, encoding: "utf8" });
  const entities = files.flatMap((path) => /\/([\w-]+)\.ts$/.exec(path)?.[1] ?? []);
  expect([...timelineTypes, ...without].sort()).toEqual(entities.sort());
});

describe("GET /entities/{type}/{id}/timeline", () => {
  const api = useApi({ relay: false });
  const get = async (path: string) => {
    const answer = await call(`${api.url}/entities/${path}`, {
      headers: { authorization: `Bearer ${api.tokens.employee}` },
    });
    return { ...answer, body: answer.body as never as Page };
  };

  test("tells jobs, changes, events, stock movements and payments of one thing alone, newest first, page by page", async () => {
    await addBusiness(api.db);
    const { offer_id: offer, order_id: order } = known;
    const [other] = await api.db.query("SELECT gen_random_uuid() AS id");
    for (const id of [offer, order, other.id]) {
      await api.db.query(
        `INSERT INTO audit_log (user_id, method, endpoint, status, request_id)
         SELECT $1, 'PATCH', 'https://api.test/things/' || $2::text, 200, 'r' FROM generate_series(1, 3)`,
        [userIds.employee, id],
      );
      await api.db.query(
        `INSERT INTO job (id, queue, kind, payload, payload_v, entity_type, entity_id, max_failures, priority)
         VALUES (gen_random_uuid(), 'images', 'process-image', '{}', 1, 'offer', $1, 5, 10)`,
        [id],
      );
    }
    await api.db.query(
      "INSERT INTO events (type, entity_type, entity_id, data) VALUES ('order.created', 'order', $1, '{}')",
      [order],
    );
    const whole = (await get(`offer/${offer}/timeline`)).body;
    expect(whole.next).toBeNull();
    expect(whole.items.filter(({ kind }) => kind === "change")).toHaveLength(3);
    expect(whole.items).toContainEqual(expect.objectContaining({ kind: "job", title: "process-image: open" }));
    expect(whole.items).toContainEqual(expect.objectContaining({ title: `PATCH /things/${offer}: 200` }));
    expect(whole.items.map(({ at }) => at)).toEqual(
      whole.items
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );

    const paged: Page["items"] = [];
    for (let next: string | null = ""; next !== null; ) {
      const { body }: { body: Page } = await get(
        `offer/${offer}/timeline?size=2${next && `&before=${encodeURIComponent(next)}`}`,
      );
      paged.push(...body.items);
      next = body.next;
    }
    expect(paged).toEqual(whole.items);
    expect((await get(`order/${order}/timeline`)).body.items).toContainEqual(
      expect.objectContaining({ kind: "event", title: "order.created" }),
    );
  });

  test.each([
    "offer/5/timeline",
    `wheel/${known.offer_id}/timeline`,
    `offer/${known.offer_id}/timeline?before=yesterday`,
  ])("is 422 for %s", async (path) => {
    expect((await get(path)).status).toBe(422);
  });

  test("reads no large table from end to end", async () => {
    await api.db.query(
      `INSERT INTO audit_log (user_id, method, endpoint, status, request_id)
       SELECT $1, 'PATCH', 'https://api.test/things/' || gen_random_uuid(), 200, 'r' FROM generate_series(1, 5000)`,
      [userIds.employee],
    );
    await api.db.query("ANALYZE audit_log");
    const { timeline } = await import("../../../../src/db/dao/audit/timeline.ts");
    const statements: [string, unknown[]][] = [];
    const reader = { query: async (sql: string, values: unknown[]) => void statements.push([sql, values]) };
    await timeline(reader as never, { type: "offer", id: known.offer_id }, { at: "infinity", ref: "" }, 50);
    const [[sql, values] = ["", []]] = statements;
    const plan = JSON.stringify(await api.db.query(`EXPLAIN (FORMAT JSON) ${sql}`, values));
    expect(plan).toContain("audit_log_entity");
    expect(plan).not.toMatch(
      /"Node Type":"Seq Scan","Parent Relationship":"[^"]*","Parallel Aware":false,"Async Capable":false,"Relation Name":"audit_log"/,
    );
  });
});
