import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { BalanceEntry, type Currency, currencies } from "../../../src/db/entities/payments/balance-entry.ts";
import { createTransact } from "../../../src/engine/transaction.ts";
import { changeBalance } from "../../../src/services/payments/balances.ts";
import { useDatabase } from "../../support/database.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

describe("changing balances", () => {
  const db = useDatabase();
  const transact = createTransact(db, () => undefined);
  const inTransaction = <T>(work: Parameters<typeof transact<T>>[1]) =>
    transact<T>({ actorId: null, traceId: null }, work);
  const change = (userId: string, delta: number, currency: Currency = "RUB") =>
    inTransaction((tx) => changeBalance(tx, { userId, currency, delta, reason: "ADMIN_ADJUSTMENT" }));
  const history = (userId: string) =>
    db.manager.find(BalanceEntry, { where: { userId }, order: { createdAt: "ASC", id: "ASC" } });
  const userOf = (id: string) => db.manager.findOneByOrFail(User, { id });

  test("moves the balance of that currency alone and keeps what it was before and after", async () => {
    const { id } = await addUser(db);
    const first = await change(id, 700, "USD");
    const second = await change(id, -1_000, "USD");
    expect(first).toMatchObject({ userId: id, delta: 700, balanceBefore: 0, balanceAfter: 700, currency: "USD" });
    expect(second).toMatchObject({ delta: -1_000, balanceBefore: 700, balanceAfter: -300, reason: "ADMIN_ADJUSTMENT" });
    expect(await history(id)).toMatchObject([first, second]);
    expect(await userOf(id)).toMatchObject({ balanceRub: 0, balanceUsd: -300, balanceEur: 0, balanceTry: 0 });
  });

  test("200 parallel changes add up exactly, and each one begins where another ended", async () => {
    const { id } = await addUser(db);
    const deltas = Array.from({ length: 200 }, (_, n) => (n % 3 === 0 ? -n : 2 * n + 1));
    await Promise.all(deltas.map((delta, n) => change(id, delta, currencies[n % currencies.length])));
    const entries = await history(id);
    expect(entries).toHaveLength(200);
    const user = await userOf(id);
    const shown = { RUB: user.balanceRub, USD: user.balanceUsd, EUR: user.balanceEur, TRY: user.balanceTry };
    for (const [place, currency] of currencies.entries()) {
      const mine = entries.filter((entry) => entry.currency === currency);
      const expected = deltas.filter((_, n) => n % currencies.length === place).reduce((sum, delta) => sum + delta, 0);
      expect(shown[currency]).toBe(expected);
      expect(mine.map(({ balanceBefore }) => balanceBefore)).toEqual([
        0,
        ...mine.slice(0, -1).map(({ balanceAfter }) => balanceAfter),
      ]);
    }
  });

  test("needs no second attempt when the transactions have entered rows of that user before", async () => {
    const { id } = await addUser(db);
    let attempts = 0;
    await Promise.all(
      Array.from({ length: 40 }, () =>
        inTransaction(async (tx) => {
          attempts++;
          await addWaybill({ manager: tx }, { authorId: id, customerId: id });
          await changeBalance(tx, { userId: id, currency: "RUB", delta: 5, reason: "OTHER" });
        }),
      ),
    );
    expect([attempts, (await userOf(id)).balanceRub]).toEqual([40, 200]);
  });

  test("history goes by the moment of the change, also within one transaction", async () => {
    const { id } = await addUser(db);
    const made = await inTransaction(async (tx) => {
      const entries: string[] = [];
      for (let n = 0; n < 20; n++) {
        entries.push((await changeBalance(tx, { userId: id, currency: "RUB", delta: n, reason: "OTHER" })).id);
      }
      return entries;
    });
    expect((await history(id)).map((entry) => entry.id)).toEqual(made);
  });

  test("leaves neither balance nor history behind when the transaction fails", async () => {
    const { id } = await addUser(db);
    const failing = inTransaction(async (tx) => {
      await changeBalance(tx, { userId: id, currency: "RUB", delta: 5, reason: "OTHER" });
      throw new Error("something else went wrong");
    });
    await expect(failing).rejects.toThrow("something else");
    expect([(await userOf(id)).balanceRub, await history(id)]).toEqual([0, []]);
  });

  test("enters a waybill once", async () => {
    const { id } = await addUser(db);
    const { id: waybillId } = await addWaybill(db, { authorId: id, customerId: id });
    const commit = () =>
      inTransaction((tx) =>
        changeBalance(tx, { userId: id, currency: "RUB", delta: -100, reason: "WAYBILL_PAYMENT", waybillId }),
      );
    const outcomes = await Promise.allSettled([commit(), commit(), commit()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
    await expect(commit()).rejects.toThrow(`Waybill '${waybillId}' has changed the balance of user '${id}' already`);
    expect((await userOf(id)).balanceRub).toBe(-100);
  });

  test("refuses an unknown user", async () => {
    const id = randomUUID();
    await expect(change(id, 1)).rejects.toThrow(`User ${id} not found`);
  });

  test("refuses a balance that could not be counted exactly any more", async () => {
    const { id } = await addUser(db);
    await change(id, Number.MAX_SAFE_INTEGER);
    await expect(change(id, 1)).rejects.toThrow("too large");
    await change(id, -Number.MAX_SAFE_INTEGER);
    await change(id, -Number.MAX_SAFE_INTEGER);
    await expect(change(id, -1)).rejects.toThrow("too large");
    expect((await userOf(id)).balanceRub).toBe(-Number.MAX_SAFE_INTEGER);
  });
});
