import type { Payment } from "../../db/entities/payments/payment.ts";

/** The page on which a person says how a payment of the test provider ends. It asks for nothing else. */
export function testPaymentPage({ amountRub, orderId, state }: Pick<Payment, "amountRub" | "orderId" | "state">) {
  const isOpen = state === "pending" || state === "authorized";
  const button = (decision: string, label: string, isPossible: boolean) =>
    `<button name="decision" value="${decision}"${isPossible ? "" : " disabled"}>${label}</button>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Test payment</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#eef1f5, #14181f); }
  form { width: min(26rem, 100vw - 4rem); padding: 2rem; border-radius: 12px; background: light-dark(#fff, #1e242d);
         box-shadow: 0 8px 30px rgb(0 0 0 / 12%); }
  h1 { margin: 0 0 .25rem; font-size: 1.35rem; }
  p { margin: 0 0 1rem; color: light-dark(#566, #9aa7b5); overflow-wrap: anywhere; }
  strong { color: light-dark(#123, #eef1f5); }
  button { margin-top: .75rem; width: 100%; padding: .7rem; border: 0; border-radius: 8px; font: inherit;
           font-weight: 600; color: #fff; background: #2563eb; cursor: pointer; }
  button:hover { background: #1d4fd7; }
  button:disabled { background: light-dark(#c5cdd6, #3a4552); cursor: default; }
</style>
</head>
<body>
<form method="post">
  <h1>Test payment of ${amountRub} roubles</h1>
  <p>Order ${orderId}. No money moves and no card is needed: say how it ends.</p>
  <p role="status">The payment is <strong>${state}</strong>.</p>
  ${button("pay", "Pay", isOpen)}
  ${button("authorize", "Authorize only", state === "pending")}
  ${button("decline", "Decline", isOpen)}
</form>
</body>
</html>
`;
}
