import { escapeHtml } from "../../src/platform/escape-html.ts";
import type { EmulatedPayment } from "./shop-data.ts";

/** The page on which a person decides how a payment ends; no card is asked for. */
export function checkoutPage(payment: EmulatedPayment, isTwoStage: boolean): string {
  const { id, amount, status, description = "" } = payment;
  const isOpen = status === "pending";
  const button = (decision: string, label: string) =>
    `<button name="decision" value="${decision}"${isOpen ? "" : " disabled"}>${label}</button>`;
  return htmlPage(`<form method="post">
  <h1>${escapeHtml(amount.value)} ${escapeHtml(amount.currency)}</h1>
  <p>${escapeHtml(description)}</p>
  <p>This is an emulator of YooKassa: no money moves and no card is needed.</p>
  <p role="status">Payment ${escapeHtml(id)} is <strong>${status}</strong>.</p>
  ${button("pay", isTwoStage ? "Authorize" : "Pay")}
  ${button("decline", "Decline")}
</form>`);
}

/** The newest payments and what became of them. */
export function listPage(payments: readonly EmulatedPayment[]): string {
  const rows = payments
    .slice(0, mostRows)
    .map(({ id, amount, status, description = "", confirmation, refunded_amount }) => {
      const refunded = refunded_amount ? `, ${escapeHtml(refunded_amount.value)} refunded` : "";
      const link = confirmation ? ` <a href="/checkout/${escapeHtml(id)}">pay</a>` : "";
      return `<li>${escapeHtml(amount.value)} ${escapeHtml(description)}: <strong>${status}</strong>${refunded}${link}</li>`;
    });
  const list = rows.length > 0 ? `<ul>${rows.join("")}</ul>` : "<p>There are none yet.</p>";
  return htmlPage(`<h1>Card payments</h1>
<p>This is an emulator of YooKassa: no money moves.</p>
${list}`);
}

const mostRows = 100;

function htmlPage(body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Emulated payments</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  button { font: inherit; padding: 0.5rem 1rem; margin-right: 0.5rem }
</style>
${body}
</html>
`;
}
