import type { Payment } from "../../db/entities/payments/payment.ts";
import { cardStyle, htmlPage } from "./html-page.ts";

/** The page on which a person decides how a payment of the test provider ends. It asks for nothing else. */
export function testPaymentPage({ amountRub, orderId, state }: Pick<Payment, "amountRub" | "orderId" | "state">) {
  const isOpen = state === "pending" || state === "authorized";
  const button = (decision: string, label: string, isPossible: boolean) =>
    `<button name="decision" value="${decision}"${isPossible ? "" : " disabled"}>${label}</button>`;
  return htmlPage({
    lang: "en",
    title: "Test payment",
    style: cardStyle("#2563eb"),
    body: `<form class="card" method="post">
  <h1>Test payment of ${amountRub} roubles</h1>
  <p>Order ${orderId}. No money moves and no card is needed: say how it ends.</p>
  <p role="status">The payment is <strong>${state}</strong>.</p>
  ${button("pay", "Pay", isOpen)}
  ${button("authorize", "Authorize only", state === "pending")}
  ${button("decline", "Decline", isOpen)}
</form>`,
  });
}
