import type { EntityManager } from "typeorm";
import { z } from "zod";
import { payments } from "../../../db/dao/payments/payments.ts";
import { NotFoundError } from "../../../errors.ts";
import type { CardCheckout, CardEvent } from "../../../platform/payments/card-provider.ts";
import { decisions, type TestPaymentProvider } from "../../../platform/payments/test-provider.ts";
import type { WebhookHeaders } from "../../../platform/webhook-signature.ts";
import { receivePaymentEvent } from "../../../services/payments/payment-states.ts";
import { receiveRefundEvent } from "../../../services/payments/refunds.ts";
import { defineRoute } from "../../http/define-route.ts";
import { line } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext, Commit, Result } from "../../http/types.ts";
import { testPaymentPage } from "../../pages/test-payment-page.ts";

const tag = "Payments";
const ofPage = z.object({ reference: line(100) });
const page = { mediaTypes: ["text/html"] };

const sentences = {
  done: "Payment updated",
  repeated: "Event received already",
  ignored: "The payment is past that state",
  unmatched: "Money kept; it matches no open sum of an order",
} as const;

/** Applies a notification, if its provider confirms it, and returns the outcome. */
async function receive(
  { log }: ApiContext,
  provider: CardCheckout,
  { bytes, headers, commit }: { bytes: Buffer; headers: WebhookHeaders; commit: Commit },
): Promise<Result> {
  const event = await provider.verify(bytes, headers);
  if (!event) return { status: 200, body: { message: "Event of no interest" } };
  let unmatched: string | undefined;
  const result = await commit(async (tx) => {
    const { outcome, payment } = await receiveEvent(tx, provider.name, event);
    unmatched = outcome === "unmatched" ? payment?.id : undefined;
    return { status: 200, body: { message: sentences[outcome] } };
  });
  if (unmatched)
    log.warn({ payment: unmatched }, "money arrived that matches no open sum; see GET /payments?state=unmatched");
  return result;
}

async function receiveEvent(tx: EntityManager, provider: string, event: CardEvent) {
  return event.kind === "payment"
    ? receivePaymentEvent(tx, { provider, event })
    : receiveRefundEvent(tx, { provider, event });
}

function cardProvider({ cards }: ApiContext, name: string): CardCheckout {
  if (cards?.name !== name) throw new NotFoundError("Not Found");
  return cards;
}

const testProvider = (context: ApiContext) => cardProvider(context, "test") as TestPaymentProvider;

async function findPayment(reader: EntityManager, reference: string) {
  const payment = await payments.findByReference(reader, "test", reference);
  return payment ?? Promise.reject(new NotFoundError("Payment not found"));
}

async function* once(text: string) {
  yield text;
}

async function showPage(reader: EntityManager, reference: string): Promise<Result> {
  const html = testPaymentPage(await findPayment(reader, reference));
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'",
  };
  return { status: 200, stream: once(html), headers };
}

export const paymentPageRoutes = [
  defineRoute({
    method: "post",
    path: "/webhooks/payments/{provider}",
    summary: "Receive a provider webhook",
    description:
      "The test provider signs as https://www.standardwebhooks.com has it; the signature may be 5 minutes old. YooKassa " +
      "signs nothing, so its notifications are believed when it repeats them on being asked. A repeated event has no " +
      "effect, and neither has one that would move a payment backwards.",
    tag,
    access: "public",
    raw: true,
    params: z.object({ provider: line(50) }),
    responses: {
      200: z.object({ message: z.string() }),
      400: Problem,
      401: Problem,
      404: Problem,
      409: Problem,
      422: InvalidRequest,
      503: Problem,
    },
    refuse(context, { params, headers }) {
      cardProvider(context, params.provider).checkHeaders(headers);
    },
    handle(context, { params, bytes, headers, commit }) {
      return receive(context, cardProvider(context, params.provider), { bytes, headers, commit });
    },
  }),
  defineRoute({
    method: "get",
    path: "/payments/test-provider/{reference}",
    summary: "Page that decides how a payment of the test provider ends",
    tag,
    access: "public",
    params: ofPage,
    responses: { 200: page, 404: Problem, 422: InvalidRequest },
    refuse: testProvider,
    handle(_context, { params: { reference }, reader }) {
      return showPage(reader, reference);
    },
  }),
  defineRoute({
    method: "post",
    path: "/payments/test-provider/{reference}",
    summary: "Submit that decision; it is handled as a signed webhook",
    tag,
    access: "public",
    accepts: ["form"],
    params: ofPage,
    body: z.object({ decision: z.enum(decisions) }),
    responses: { 200: page, 404: Problem, 409: Problem, 422: InvalidRequest },
    refuse: testProvider,
    async handle(context, { params: { reference }, body: { decision }, reader, commit }) {
      const provider = testProvider(context);
      const { amountRub } = await findPayment(reader, reference);
      await receive(context, provider, { ...provider.sign({ reference, amountRub, decision }), commit });
      return showPage(reader, reference);
    },
  }),
];
