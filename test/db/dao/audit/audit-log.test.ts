import { beforeEach, describe, expect, test, vi } from "vitest";
import { auditLog } from "../../../../src/db/dao/audit/audit-log.ts";
import { useApi, userIds } from "../../../support/api.ts";

describe("the chain of audited actions", () => {
  const api = useApi({ relay: false });
  const add = (n: number) =>
    api.db.transaction((tx) =>
      auditLog.append(tx, {
        ...{ userId: userIds.admin, method: "PUT", endpoint: `https://api.test/${n}`, status: 200, requestId: `r${n}` },
        payload: { reason: "Склад закрыт", z: 1, a: [0.5, null] },
      }),
    );
  const broken = () => auditLog.firstBroken(api.db.manager);
  beforeEach(async () => {
    await api.db.query("DELETE FROM audit_log");
    for (let n = 1; n <= 5; n++) await add(n);
  });

  test("is whole, also when twenty write at once, and rows beside it do not matter", async () => {
    const links = await Promise.all(Array.from({ length: 20 }, (_, n) => add(10 + n)));
    expect(links.map(({ no }) => Number(no)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 6),
    );
    await api.db.query(
      `INSERT INTO audit_log (user_id, method, endpoint, status, request_id) VALUES ($1, 'GET', '/', 200, '')`,
      [userIds.admin],
    );
    expect(await broken()).toBeUndefined();
  });

  test.each([
    ["payload", `payload = '{"reason": "other"}'`],
    ["status", "status = 500"],
    ["who it was", `user_id = '${userIds.employee}'`],
    ["when it was", "created_at = created_at - interval '1 microsecond'"],
    ["what it was", "endpoint = endpoint || 'x'"],
    ["hash", "chain_hash = sha256('')"],
  ])("shows that the %s of a row was edited", async (_what, change) => {
    await api.db.query(`UPDATE audit_log SET ${change} WHERE chain_no = 3`);
    expect(await broken()).toMatchObject({ no: "3" });
  });

  test("shows that a row was taken out, or two changed places", async () => {
    await api.db.query("DELETE FROM audit_log WHERE chain_no = 2");
    expect(await broken()).toMatchObject({ no: "3" });
    await api.db.query("DELETE FROM audit_log WHERE chain_no = 1");
    expect(await broken()).toMatchObject({ no: "3" });
  });

  const note = {
    ...{
      userId: userIds.admin,
      method: "POST" as const,
      endpoint: "https://api.test/erasures",
      status: 200,
      requestId: "r0",
    },
    payload: { erasure: "e1" },
  };
  const erase = async (...numbers: number[]) => {
    const rows = await api.db.query("SELECT id FROM audit_log WHERE chain_no = ANY($1)", [numbers]);
    return api.db.transaction((tx) =>
      auditLog.eraseContent(
        tx,
        rows.map(({ id }: { id: string }) => id),
        note,
      ),
    );
  };
  /** A moment after all rows until now, in whole milliseconds. */
  const laterMoment = async () => {
    const [{ at }] = await api.db.query("SELECT date_trunc('milliseconds', clock_timestamp()) + interval '1 ms' AS at");
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(at.getTime()));
    return at as Date;
  };
  const rowOf = async (no: number) => (await api.db.query("SELECT * FROM audit_log WHERE chain_no = $1", [no]))[0];

  test("stays whole when rows lose what they say of people, and says so in a link of its own", async () => {
    expect(await erase(2, 4)).toMatchObject({ erased: 2, link: { no: "6" } });
    expect((await rowOf(2)).payload).toEqual({ reason: "erased", z: 1, a: [0.5, null] });
    expect((await rowOf(2)).chain_salt).toBeNull();
    expect((await rowOf(6)).payload).toMatchObject({ erasure: "e1", erased_links: { 2: expect.any(String) } });
    expect(await broken()).toBeUndefined();
    // A second time there is nothing to do, and nothing to vouch for.
    expect(await erase(2, 4)).toEqual({ erased: 0, link: undefined });
    expect(await rowOf(7)).toBeUndefined();
  });

  test.each([
    ["given other content", `payload = '{"reason": "other"}' WHERE chain_no = 2`, "2"],
    ["blanked by hand", `payload = without_person(payload), chain_salt = NULL WHERE chain_no = 3`, "3"],
    ["given another status", "status = 500 WHERE chain_no = 2", "2"],
    ["vouched for otherwise", `payload = payload - 'erased_links' WHERE payload ? 'erased_links'`, "2"],
  ])("shows that a row was %s after an erasure", async (_what, change, no) => {
    await erase(2);
    await api.db.query(`UPDATE audit_log SET ${change}`);
    expect(await broken()).toMatchObject({ no });
  });

  test("does not let an address's link be told by trying out what it may have said", async () => {
    await erase(2);
    const [{ same }] = await api.db.query(
      `SELECT entry.chain_hash = audit_link(jsonb_populate_record(entry, $1), before.chain_hash) AS same
       FROM audit_log entry JOIN audit_log before ON before.chain_no = 1 WHERE entry.chain_no = 2`,
      [JSON.stringify({ payload: { reason: "Склад закрыт", z: 1, a: [0.5, null] } })],
    );
    expect(same).toBe(false);
  });

  test("goes on when its oldest rows are removed for their age, and shows what was taken out beside that", async () => {
    const cut = await laterMoment();
    await add(6);
    await add(7);
    const remove = (before: Date, size = 100) => api.db.transaction((tx) => auditLog.removeOldest(tx, before, size));
    const { chain_hash: fourth } = await rowOf(4);
    expect(await remove(cut, 4)).toEqual({ removed: 4, cutAfter: { no: "4", hash: fourth.toString("hex") } });
    expect(await remove(cut, 4)).toMatchObject({ removed: 1, cutAfter: { no: "5" } });
    expect(await remove(cut, 4)).toEqual({ removed: 0, cutAfter: undefined });
    expect(await broken()).toBeUndefined();
    // The newest link stays, whatever its age, for the next one to follow.
    expect(await remove(new Date(Date.now() + 60_000))).toMatchObject({ removed: 1, cutAfter: { no: "6" } });
    expect(await add(8)).toMatchObject({ no: "8" });
    expect(await broken()).toBeUndefined();
    await api.db.query("DELETE FROM audit_log WHERE chain_no = 7");
    expect(await broken()).toMatchObject({ no: "8" });
  });

  test("takes links of the version before, which knows no salt, and erases their content as well", async () => {
    await api.db.query(
      `WITH entry AS (SELECT gen_random_uuid() AS id, user_id, method, endpoint, payload, status, request_id,
         now() AS created_at, chain_no + 1 AS chain_no, chain_hash AS before FROM audit_log WHERE chain_no = 5)
       INSERT INTO audit_log (id, user_id, method, endpoint, payload, status, request_id, created_at, chain_no, chain_hash)
       SELECT id, user_id, method, endpoint, payload, status, request_id, created_at, chain_no,
         audit_link(jsonb_populate_record(NULL::audit_log, to_jsonb(entry)), before) FROM entry`,
    );
    await add(7);
    expect(await broken()).toBeUndefined();
    await erase(6);
    expect(await broken()).toBeUndefined();
  });

  test("loses addresses that stand in the address of a request, and keeps a URL", async () => {
    await api.db.query(
      `INSERT INTO audit_log (user_id, method, endpoint, status, request_id)
       VALUES ($1, 'DELETE', 'https://api.test/mail/suppressions/anna%40test.example?why=anna@test.example', 204, 'x')`,
      [userIds.admin],
    );
    const [{ id }] = await api.db.query("SELECT id FROM audit_log WHERE request_id = 'x'");
    await api.db.transaction((tx) => auditLog.eraseContent(tx, [id], note));
    const [{ endpoint }] = await api.db.query("SELECT endpoint FROM audit_log WHERE request_id = 'x'");
    expect(endpoint).toBe("https://api.test/mail/suppressions/erased");
  });
});
