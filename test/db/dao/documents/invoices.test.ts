import { expect, test } from "vitest";
import { invoices } from "../../../../src/db/dao/documents/invoices.ts";
import { businessDay } from "../../../../src/services/business-day.ts";
import { useDatabase } from "../../../support/database.ts";
import { brokenRules } from "../../../support/invariants.ts";
import { addOrder } from "../../../support/orders.ts";

const db = useDatabase();

test("invoices that are issued at once, some of them twice, take the numbers of the year without a gap", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 10; n++) ids.push((await addOrder(db)).id);
  await Promise.all([...ids, ...ids.slice(5)].map((id) => db.transaction((tx) => invoices.issue(tx, id))));
  const issued = await Promise.all(ids.map((id) => invoices.ofOrder(db.manager, id)));
  expect(issued.map((one) => one?.number).toSorted((a = 0, b = 0) => a - b)).toEqual(ids.map((_, n) => n + 1));
  expect(new Set(issued.map((one) => one?.year))).toEqual(new Set([Number(businessDay(new Date()).slice(0, 4))]));
  await db.query("DELETE FROM orders");
  expect(await brokenRules(db)).toEqual({});
});
