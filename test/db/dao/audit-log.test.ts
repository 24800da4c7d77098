import { beforeEach, describe, expect, test } from "vitest";
import { auditLog } from "../../../src/db/dao/audit-log.ts";
import { useApi, userIds } from "../../support/api.ts";

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
});
