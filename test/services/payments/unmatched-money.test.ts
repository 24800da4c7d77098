import { beforeAll, describe, expect, test } from "vitest";
import { assignToBalance, assignToOrder } from "../../../src/services/payments/unmatched-money.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";

const db = useDatabase();
let offerId: string;
let userId: string;
beforeAll(async () => {
  offerId = (await addOffer(db)).id;
  userId = (await addUser(db)).id;
});

describe("unmatched money that cannot be assigned to an order", () => {
  test.each([
    ["a customer", "CANCELED", 100, "give the money back, or assign it to the customer's balance"],
    ["a guest", "CANCELED", 100, "give the money back"],
    ["a customer", "NEW", 100, "assign them to the customer's balance, and pay from there"],
    ["a guest", "NEW", 100, "give them back"],
    ["a customer", "NEW", 0, "assign them to the customer's balance, or give them back"],
    ["a guest", "NEW", 0, "give them back"],
  ] as const)(
    "of %s that is %s with %i roubles open has a way that exists: %s",
    async (who, status, openRub, advice) => {
      const owner = who === "a guest" ? null : userId;
      const lines = openRub > 0 ? [{ offerId, quantity: 1, priceRub: openRub }] : [];
      const { id: orderId } = await addOrder(db, { userId: owner, status, lines });
      const { id } = await addPayment(db, {
        orderId,
        amountRub: 700,
        state: "unmatched",
        unmatchedReason: "nothing_due",
      });
      const assigned = db.transaction((tx) => assignToOrder(tx, { id, orderId }));
      await expect(assigned).rejects.toThrow(new RegExp(`; ${advice}$`));
      if (!advice.includes("balance")) return;
      await db.transaction((tx) => assignToBalance(tx, { id, userId }));
      expect(await db.query("SELECT state FROM payments WHERE id = $1", [id])).toEqual([{ state: "credited" }]);
    },
  );
});
