import { ConflictError } from "../../errors.ts";
import type { Receipt, ReceiptLine } from "./card-provider.ts";

/** What the shop's receipts say besides its goods, in the codes of YooKassa. */
export interface ReceiptRules {
  /** Rate of VAT, 1 to 12: https://yookassa.ru/developers/payment-acceptance/receipts/54fz/parameters-values. */
  vatCode: number;
  /** System of taxation, 1 to 6; absent: the one that the shop told YooKassa. */
  taxSystem?: number | undefined;
}

/** An amount as YooKassa writes it. */
export interface Amount {
  value: string;
  currency: string;
}

/** Whole roubles as YooKassa writes them. */
export function writeRub(rub: number): Amount {
  return { value: `${rub}.00`, currency: "RUB" };
}

const rubOf = ({ value, currency }: Amount) =>
  currency === "RUB" ? /^(\d{1,12})(?:\.0{1,2})?$/.exec(value)?.[1] : undefined;

/** True for an amount without kopecks in roubles. */
export const isWholeRub = (amount: Amount) => rubOf(amount) !== undefined;

/** Whole roubles of an amount; throws `ConflictError` for kopecks and other currencies, because no sum here has them. */
export function parseRub({ value, currency }: Amount): number {
  const rub = rubOf({ value, currency });
  if (rub !== undefined) return Number(rub);
  throw new ConflictError(
    `An amount of '${value.slice(0, 20)}' '${currency.slice(0, 10)}' is not in whole roubles, and no sum here has kopecks: put it right in YooKassa's cabinet`,
  );
}

/** Most lines of one receipt. */
const maxLines = 100;
const subjects = {
  goods: { payment_mode: "full_prepayment", payment_subject: "commodity" },
  part: { payment_mode: "partial_prepayment", payment_subject: "payment" },
} as const;

/** A receipt as YooKassa takes it; throws when its lines are not the amount. */
export function receiptOf({ email, lines }: Receipt, { vatCode, taxSystem }: ReceiptRules, amountRub: number) {
  const sum = lines.reduce((total, { quantity, priceRub }) => total + quantity * priceRub, 0);
  if (sum !== amountRub) throw new Error(`The lines of a receipt are '${sum}' roubles, and its payment '${amountRub}'`);
  const shown: readonly ReceiptLine[] =
    lines.length <= maxLines ? lines : [{ name: "Заказ", quantity: 1, priceRub: amountRub, kind: "goods" }];
  return {
    customer: { email },
    ...(taxSystem !== undefined && { tax_system_code: taxSystem }),
    items: shown.map(({ name, quantity, priceRub, kind }) => ({
      description: name.slice(0, 128),
      quantity,
      amount: writeRub(priceRub),
      vat_code: vatCode,
      ...subjects[kind],
    })),
  };
}
