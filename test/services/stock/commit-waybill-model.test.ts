import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { Offer } from "../../../src/db/entities/catalogue/offer.ts";
import { waybillTypes } from "../../../src/db/entities/stock/waybill.ts";
import { ConflictError } from "../../../src/errors.ts";
import { commitWaybill } from "../../../src/services/stock/commit-waybill.ts";
import { userIds } from "../../support/api.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { brokenRules } from "../../support/invariants.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

const line = fc.record({
  offer: fc.nat({ max: 2 }),
  quantity: fc.integer({ min: 1, max: 9 }),
  price: fc.nat({ max: 99 }),
});
/** The third customer is the author. */
const waybill = fc.record({
  type: fc.constantFrom(...waybillTypes, "WAYBILL_OUT" as const),
  customer: fc.nat({ max: 2 }),
  lines: fc.array(line, { maxLength: 4 }),
  commits: fc.integer({ min: 1, max: 2 }),
});
type ModelWaybill = typeof waybill extends fc.Arbitrary<infer W> ? W : never;

interface Model {
  stock: number[];
  balances: number[];
}

/** What the commit leads to; the same state when it has to be refused. */
function committed({ stock, balances }: Model, { type, customer, lines }: ModelWaybill): Model | "refused" {
  const sign = type === "WAYBILL_OUT" ? -1 : 1;
  const pieces = (at: number) => lines.reduce((sum, { offer, quantity }) => sum + (offer === at ? quantity : 0), 0);
  const after = stock.map((quantity, at) => quantity + sign * pieces(at));
  if (after.some((quantity) => quantity < 0)) return "refused";
  const total = lines.reduce((sum, { quantity, price }) => sum + quantity * price, 0);
  return { stock: after, balances: balances.map((rub, at) => (at === customer ? rub + sign * total : rub)) };
}

describe("commits of waybills", () => {
  const db = useDatabase();
  const [offers, customers]: [string[], string[]] = [[], []];

  beforeAll(async () => {
    await addUser(db, { id: userIds.employee, role: "EMPLOYEE" });
    for (let n = 0; n < 3; n++) offers.push((await addOffer(db, { quantity: 0 })).id);
    for (let n = 0; n < 2; n++) customers.push((await addUser(db)).id);
  });

  const add = ({ type, customer, lines }: ModelWaybill) =>
    addWaybill(db, {
      waybillType: type,
      customerId: customers[customer] ?? userIds.employee,
      lines: lines.map(({ offer, quantity, price }) => ({ offerId: String(offers[offer]), quantity, priceRub: price })),
    });

  async function commit(waybillId: string) {
    try {
      await db.transaction((tx) => commitWaybill(tx, { waybillId, userId: userIds.employee }));
      return "committed";
    } catch (error) {
      if (error instanceof ConflictError) return "refused";
      throw error;
    }
  }

  async function actual(): Promise<Model> {
    const stock = offers.map(async (id) => (await db.manager.findOneByOrFail(Offer, { id })).quantity);
    const balances = customers.map(async (id) => (await db.manager.findOneByOrFail(User, { id })).balanceRub);
    return { stock: await Promise.all(stock), balances: await Promise.all(balances) };
  }

  async function check(before: Model, one: ModelWaybill) {
    const { id } = await add(one);
    const expected = committed(before, one);
    const outcome = expected === "refused" ? "refused" : "committed";
    for (let n = 0; n < one.commits; n++) expect(await commit(id)).toBe(outcome);
    return expected === "refused" ? before : expected;
  }

  test("agree with a model of stock and balances, whatever they are and however often they are sent", async () => {
    let model = await actual();
    const property = fc.asyncProperty(fc.array(waybill, { minLength: 1, maxLength: 6 }), async (waybills) => {
      for (const one of waybills) model = await check(model, one);
      expect(await actual()).toEqual(model);
    });
    // A failure leaves the database in another state than the next run expects, so there is nothing to shrink.
    await fc.assert(property, { numRuns: 30, endOnFailure: true });
    expect(await brokenRules(db)).toEqual({});
  });
});
