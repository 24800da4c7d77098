import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { BadRequestError } from "../../errors.ts";
import { checkSignature, refuseUnsigned } from "../webhook-signature.ts";
import type { CardEvent, CardProvider, CardSettlement } from "./card-provider.ts";

/** What a person decides on the test provider's page. */
export const decisions = ["pay", "authorize", "decline"] as const;
export type Decision = (typeof decisions)[number];

export interface Verdict {
  reference: string;
  amountRub: number;
  decision: Decision;
}

/** A webhook to send. */
export interface SignedWebhook {
  bytes: Buffer;
  headers: Record<string, string>;
}

/** A provider that takes no money: the visitor of its page decides how the payment ends. */
export interface TestPaymentProvider extends CardProvider {
  name: "test";
  sign(verdict: Verdict): SignedWebhook;
}

const typeOf: Record<Decision, string> = {
  pay: "payment.paid",
  authorize: "payment.authorized",
  decline: "payment.failed",
};
const states = { "payment.paid": "paid", "payment.authorized": "authorized", "payment.failed": "failed" } as const;

const Message = z.object({ type: z.string(), data: z.unknown() });
const PaymentData = z.object({ reference: z.string(), amount_rub: z.int(), reason: z.string().max(300).nullish() });

/** What jobs do at the built-in provider: it has no money, so everything succeeds at once. */
export const testSettlement: CardSettlement & { name: "test" } = {
  name: "test",
  makesReceipts: false,
  async read() {
    return undefined;
  },
  async recentRefunds() {
    return [];
  },
  async capture({ reference, key, amountRub }) {
    return { kind: "payment", id: key, reference, state: "paid", amountRub, failure: null };
  },
  async cancel({ reference, key }) {
    return { kind: "payment", id: key, reference, state: "failed", amountRub: 0, failure: "Given up" };
  },
  async refund({ key }) {
    return { refundReference: `test_refund_${key}`, state: "succeeded" };
  },
};

/** The built-in provider; its webhooks are signed as https://www.standardwebhooks.com has it. */
export function createTestProvider(secret: string, publicUrl: string): TestPaymentProvider {
  const webhook = new Webhook(secret);
  return {
    ...testSettlement,
    async start() {
      const reference = `test_${randomUUID()}`;
      return { reference, checkoutUrl: `${publicUrl}/payments/test-provider/${reference}` };
    },
    checkHeaders: refuseUnsigned,
    async verify(bytes, headers) {
      checkSignature(webhook, bytes, headers);
      return readEvent(String(headers["webhook-id"]), bytes);
    },
    sign({ reference, amountRub, decision }) {
      const [id, now] = [`evt_${randomUUID()}`, new Date()];
      const reason = decision === "decline" ? "Declined on the test provider's page" : null;
      const data = { reference, amount_rub: amountRub, reason };
      const text = JSON.stringify({ type: typeOf[decision], timestamp: now.toISOString(), data });
      const headers = {
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
        "webhook-signature": webhook.sign(id, now, text),
      };
      return { bytes: Buffer.from(text), headers };
    },
  };
}

function readEvent(id: string, bytes: Buffer): CardEvent | undefined {
  const { type, data } = parsed(Message, json(bytes));
  const state = Object.entries(states).find(([name]) => name === type)?.[1];
  if (!state) return undefined;
  const { reference, amount_rub: amountRub, reason = null } = parsed(PaymentData, data);
  return { kind: "payment", id, reference, state, amountRub, failure: state === "failed" ? reason : null };
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new BadRequestError("Invalid payload structure");
  }
}

function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const { success, data } = schema.safeParse(value);
  if (!success) throw new BadRequestError("Invalid payload structure");
  return data;
}
