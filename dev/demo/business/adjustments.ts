import type { Change } from "./balances.ts";
import type { PaymentRow } from "./rows.ts";
import type { Shop } from "./shop.ts";

const monthEnds = ["2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-30"];

/** What the admin entered by hand. */
export function makeAdjustments(shop: Shop, payments: readonly PaymentRow[]): Change[] {
  return [...topUps(shop, payments), ...settlements(shop), ...presents(shop), ...dollars(shop)];
}

/** Who pays from the balance has brought the money, in whole thousands, a minute before. */
function topUps({ calendar }: Shop, payments: readonly PaymentRow[]): Change[] {
  return payments.flatMap(({ method, amountRub, createdBy, paidAt }): Change[] => {
    if (method !== "BALANCE" || !createdBy || !paidAt) return [];
    const missing = (balance: number) => Math.ceil((amountRub - balance) / 1_000) * 1_000;
    return [
      {
        userId: createdBy,
        currency: "RUB",
        reason: "ADMIN_ADJUSTMENT",
        at: calendar.after(paidAt, -2, -1),
        delta: (balance) => (balance < amountRub ? missing(balance) : undefined),
      },
    ];
  });
}

/** At the end of a month most customers pay their debts, and the supplier is paid. */
function settlements({ random, calendar, people }: Shop): Change[] {
  const everybody = [...people.demoCustomers, ...people.customers, people.supplier];
  return monthEnds.flatMap((day) =>
    everybody
      .filter((person) => person.createdAt < day && random.chance(0.7))
      .map(({ id }): Change => {
        const owes = (balance: number) => (id === people.supplier.id ? balance > 0 : balance < 0);
        const delta = (balance: number) => (owes(balance) ? -balance : undefined);
        return { userId: id, currency: "RUB", reason: "OTHER", at: calendar.onDay(day, day), delta };
      }),
  );
}

function presents({ random, calendar, people }: Shop): Change[] {
  const lucky = [...people.demoCustomers.slice(0, 1), ...people.customers.slice(5, 8)];
  return lucky.map(({ id }) => {
    const amount = random.pick([300, 500, 1_000]);
    const at = calendar.onDay("2026-10-29", "2026-11-02");
    return { userId: id, currency: "RUB", reason: "PROMOTION_CREDIT", at, delta: () => amount };
  });
}

/** One customer keeps dollars here too. */
function dollars({ calendar, people }: Shop): Change[] {
  const userId = people.demoCustomers.at(-1)?.id ?? people.supplier.id;
  const entry = (day: string, amount: number): Change => {
    return { userId, currency: "USD", reason: "ADMIN_ADJUSTMENT", at: calendar.onDay(day, day), delta: () => amount };
  };
  return [entry("2026-07-14", 1_200), entry("2026-09-02", -350), entry("2026-11-11", 90)];
}
