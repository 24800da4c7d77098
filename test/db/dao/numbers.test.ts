import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import { beforeAll, describe, expect, test } from "vitest";
import { invoices } from "../../../src/db/dao/documents/invoices.ts";
import { waybills } from "../../../src/db/dao/stock/waybills.ts";
import { Waybill } from "../../../src/db/entities/stock/waybill.ts";
import { userIds } from "../../support/api.ts";
import { useDatabase } from "../../support/database.ts";
import { brokenRules } from "../../support/invariants.ts";
import { addOrder } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

const db = useDatabase();
beforeAll(async () => {
  await addUser(db, { id: userIds.employee, role: "EMPLOYEE" });
  await addUser(db, { id: userIds.user });
});

/** Makes a paper, gives it its number, and says which number it got and when. */
interface Paper {
  make(): Promise<string>;
  number(tx: EntityManager, id: string): Promise<void>;
  read(id: string): Promise<{ number: number; at: Date }>;
}

const papers: Record<string, Paper> = {
  invoice: {
    make: async () => (await addOrder(db)).id,
    number: (tx, id) => invoices.issue(tx, id),
    async read(id) {
      const { number = 0, issuedAt = new Date(0) } = (await invoices.ofOrder(db.manager, id)) ?? {};
      return { number, at: issuedAt };
    },
  },
  waybill: {
    make: async () => (await addWaybill(db, {})).id,
    async number(tx, id) {
      await waybills.markCommitted(tx, await tx.findOneByOrFail(Waybill, { id }), userIds.employee);
    },
    async read(id) {
      const { paperNumber, committedAt } = await db.manager.findOneByOrFail(Waybill, { id });
      return { number: paperNumber ?? 0, at: committedAt ?? new Date(0) };
    },
  },
};

describe.each(Object.entries(papers))("the number of a paper (%s)", (_kind, { make, number, read }) => {
  test("comes later when its time is later, also of a transaction that began first", async () => {
    const [first, second] = [await make(), await make()];
    await db.transaction(async (early) => {
      await early.query("SELECT now()");
      // Its beginning has to differ from that of the other transaction, in milliseconds.
      await sleep(5);
      await db.transaction((late) => number(late, second));
      await number(early, first);
    });
    const [early, late] = [await read(first), await read(second)];
    expect(early.number).toBe(late.number + 1);
    expect(early.at.getTime()).toBeGreaterThanOrEqual(late.at.getTime());
    expect(await brokenRules(db)).toEqual({});
  });
});
