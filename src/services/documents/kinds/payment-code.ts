import type { Payee } from "./define-kind.ts";

/**
 * The text of an invoice's QR code for banking apps (GOST R 56042-2014): format 0001 in UTF-8. Throws `RangeError`
 * unless the sum is whole roubles above 0.
 */
export function paymentCode(payee: Payee, purpose: string, sumRub: number): string {
  if (!Number.isSafeInteger(sumRub) || sumRub <= 0) throw new RangeError(`'${sumRub}' roubles cannot be paid`);
  const fields = {
    // The first five are required, in this order.
    Name: payee.name,
    PersonalAcc: payee.account,
    BankName: payee.bank,
    BIC: payee.bic,
    CorrespAcc: payee.correspondentAccount,
    PayeeINN: payee.inn,
    ...(payee.kpp && { KPP: payee.kpp }),
    Purpose: purpose,
    // Copecks.
    Sum: String(sumRub * 100),
  };
  const values = Object.entries(fields).map(([name, value]) => `${name}=${value.replace(/[|\p{Cc}]/gu, " ").trim()}`);
  return `ST00012|${values.join("|")}`;
}
