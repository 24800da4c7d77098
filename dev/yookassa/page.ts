import { escapeHtml } from "../../src/platform/escape-html.ts";
import type { EmulatedPayment } from "./shop-data.ts";

/** The page on which a person decides how a payment ends; no card is asked for. */
export function checkoutPage(payment: EmulatedPayment, isTwoStage: boolean): string {
  const { id, amount, status, description = "" } = payment;
  const isOpen = status === "pending";
  const button = (decision: string, label: string) =>
    `<button name="decision" value="${decision}"${isOpen ? "" : " disabled"}>${label}</button>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Emulated payment</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem }
  button { font: inherit; padding: 0.5rem 1rem; margin-right: 0.5rem }
</style>
<form method="post">
  <h1>${escapeHtml(amount.value)} ${escapeHtml(amount.currency)}</h1>
  <p>${escapeHtml(description)}</p>
  <p>This is an emulator of YooKassa: no money moves and no card is needed.</p>
  <p role="status">Payment ${escapeHtml(id)} is <strong>${status}</strong>.</p>
  ${button("pay", isTwoStage ? "Authorize" : "Pay")}
  ${button("decline", "Decline")}
</form>
</html>
`;
}
