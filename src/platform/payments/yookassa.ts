import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { BadRequestError, ConflictError, NotFoundError, UnauthorizedError } from "../../errors.ts";
import {
  type CardPayment,
  type CardPaymentEvent,
  type CardProvider,
  type CardRefundEvent,
  CardRefusalError,
  type Receipt,
} from "./card-provider.ts";
import {
  type CallYooKassa,
  createYooKassaClient,
  UnknownResultError,
  type YooKassaAccount,
} from "./yookassa-client.ts";
import { isWholeRub, parseRub, type ReceiptRules, receiptOf, writeRub } from "./yookassa-receipt.ts";

export interface YooKassaOptions extends YooKassaAccount {
  /** True: a payment is authorized first, and taken when staff captures it. */
  isTwoStage: boolean;
  /** Where the customer comes back to; `{order_id}` in it is replaced. */
  returnUrl: string;
  /** How receipts are made; absent: the shop makes them elsewhere. */
  receipts?: ReceiptRules | undefined;
  /** Time limits of a start in all and of one call, ms. */
  patience?: { startMs: number; callMs: number };
}

const Amount = z.object({ value: z.string(), currency: z.string() });
const Payment = z.object({
  id: z.string(),
  status: z.enum(["pending", "waiting_for_capture", "succeeded", "canceled"]),
  amount: Amount,
  recipient: z.object({ account_id: z.string() }).optional(),
  confirmation: z.object({ confirmation_url: z.url().optional() }).optional(),
  cancellation_details: z.object({ reason: z.string() }).optional(),
});
type Payment = z.output<typeof Payment>;
const Refund = z.object({
  id: z.string(),
  payment_id: z.string(),
  status: z.enum(["pending", "succeeded", "canceled"]),
  amount: Amount,
  metadata: z.record(z.string(), z.string()).optional(),
  cancellation_details: z.object({ reason: z.string() }).optional(),
});
type Refund = z.output<typeof Refund>;
const Refunds = z.object({ items: z.array(Refund), next_cursor: z.string().optional() });
const Me = z.object({ account_id: z.string(), test: z.boolean().optional(), status: z.string().optional() });

/** Ids go into paths of the API, and a notification may contain anything. */
const Notification = z.object({ event: z.string(), object: z.object({ id: z.string().regex(/^[\w-]{8,64}$/) }) });

/** Each state of a payment that a notification is about, with how far it is. */
const states = { waiting_for_capture: "authorized", succeeded: "paid", canceled: "failed" } as const;
const progress = { pending: 0, waiting_for_capture: 1, succeeded: 2, canceled: 2 };

/** The metadata of a refund that holds its key. */
const keyName = "refund_key";
const usual = { startMs: 10_000, callMs: 5_000 };
/** The time limit of a call by a job, for which no person waits. */
const jobCallMs = 20_000;
/** Waits between the calls of one start, ms. */
const firstWaitMs = 300;

/** The card provider YooKassa, after its public API v3. */
export function createYooKassa(options: YooKassaOptions): CardProvider {
  const { shopId, receipts, patience = usual } = options;
  const call = createYooKassaClient(options);
  const limited = (signal: AbortSignal, ms = jobCallMs) => AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  const readPayment = async (reference: string, signal: AbortSignal) =>
    parsed(Payment, await call({ what: "payment", path: `/payments/${reference}`, signal }));

  async function moved(act: "capture" | "cancel", { reference, key, signal }: Moving, body: object) {
    const path = `/payments/${reference}/${act}`;
    try {
      return parsed(Payment, await call({ what: act, path, post: { key, body }, signal: limited(signal) }));
    } catch (error) {
      // Keys are kept for a day, so a later repetition is refused because of the first one.
      if (error instanceof CardRefusalError) return readPayment(reference, limited(signal));
      throw error;
    }
  }

  return {
    name: "yookassa",
    makesReceipts: receipts !== undefined,

    async start(payment) {
      const path = "/payments";
      const post = { key: payment.id, body: paymentBody(payment, options) };
      const late = AbortSignal.timeout(patience.startMs);
      const answer = await askAgain(
        () => call({ what: "payment", path, post, signal: limited(late, patience.callMs) }),
        patience.startMs,
      );
      const { id, status, amount, confirmation, cancellation_details: details } = parsed(Payment, answer);
      if (status === "canceled") throw refusal("payment", details?.reason);
      if (parseRub(amount) !== payment.amountRub) throw new Error(`YooKassa made a payment of '${amount.value}' of it`);
      const checkoutUrl = confirmation?.confirmation_url;
      if (!checkoutUrl) throw new Error(`YooKassa's payment '${id}' has no address to pay at`);
      return { reference: id, checkoutUrl };
    },

    checkHeaders() {},

    async verify(bytes) {
      const { event, object } = readNotification(bytes);
      const [subject, state] = event.split(".");
      const signal = AbortSignal.timeout(patience.startMs);
      if (subject === "payment" && state !== undefined && Object.hasOwn(states, state)) {
        const payment = await readPayment(object.id, signal).catch(unknownIsForged);
        if (payment.recipient && payment.recipient.account_id !== shopId) throw forged();
        // A notification may be late, so what counts is the present state; it has to be as far as the notification.
        if (progress[payment.status] < progress[state as keyof typeof states]) throw forged();
        return paymentEvent(payment);
      }
      if (event !== "refund.succeeded") return undefined;
      const path = `/refunds/${object.id}`;
      const refund = parsed(Refund, await call({ what: "refund", path, signal }).catch(unknownIsForged));
      return refundEvent(refund);
    },

    async read({ reference, signal }) {
      const payment = await readPayment(reference, limited(signal));
      return payment.status === "pending" ? undefined : paymentEvent(payment);
    },

    async recentRefunds({ since, signal }) {
      const query = { status: "succeeded", "created_at.gte": since.toISOString() };
      return (await listRefunds(call, query, limited(signal))).flatMap(({ amount, ...refund }) =>
        // One with kopecks was refused as a notification, and is in the log.
        isWholeRub(amount) ? [refundEvent({ ...refund, amount })] : [],
      );
    },

    async capture({ amountRub, ...moving }) {
      const payment = await moved("capture", moving, { amount: writeRub(amountRub) });
      return ended(payment, "capture");
    },

    async cancel(moving) {
      return ended(await moved("cancel", moving, {}), "cancel");
    },

    async refund({ reference, amountRub, key, description, receipt, signal }) {
      const made = await findRefund(call, { reference, key, signal: limited(signal) });
      const refund = made ?? (await makeRefund());
      if (refund.status === "canceled") throw refusal("refund", refund.cancellation_details?.reason);
      return { refundReference: refund.id, state: refund.status };

      async function makeRefund() {
        const body = {
          payment_id: reference,
          amount: writeRub(amountRub),
          description: description.slice(0, 250),
          metadata: { [keyName]: key },
          // Without one YooKassa takes that of the payment, if all of it goes back.
          ...(receipt && receiptBody(receipt, receipts, amountRub)),
        };
        const post = { key, body };
        return parsed(Refund, await call({ what: "refund", path: "/refunds", post, signal: limited(signal) }));
      }
    },
  };
}

/** Asks YooKassa for the shop of this key; throws as a call does. */
export async function readShop(
  account: YooKassaAccount,
  signal: AbortSignal,
): Promise<{ shopId: string; isTest: boolean; isEnabled: boolean }> {
  const me = parsed(Me, await createYooKassaClient(account)({ what: "shop", path: "/me", signal }));
  return { shopId: me.account_id, isTest: me.test === true, isEnabled: (me.status ?? "enabled") === "enabled" };
}

interface Moving {
  reference: string;
  key: string;
  signal: AbortSignal;
}

function paymentBody(payment: CardPayment, { isTwoStage, returnUrl, receipts }: YooKassaOptions) {
  const { id, orderId, amountRub, receipt } = payment;
  return {
    amount: writeRub(amountRub),
    capture: !isTwoStage,
    confirmation: { type: "redirect", return_url: returnUrl.replaceAll("{order_id}", orderId) },
    description: `Заказ ${orderId}`,
    metadata: { payment_id: id, order_id: orderId },
    ...receiptBody(receipt, receipts, amountRub),
  };
}

function receiptBody(receipt: Receipt | undefined, rules: ReceiptRules | undefined, amountRub: number) {
  if (!rules) return {};
  if (!receipt) throw new Error("YooKassa makes receipts here, and this payment has none");
  return { receipt: receiptOf(receipt, rules, amountRub) };
}

/** Repeats a call with an unknown result under its key, as long as the caller waits. */
async function askAgain(ask: () => Promise<unknown>, withinMs: number): Promise<unknown> {
  const end = performance.now() + withinMs;
  for (let waitMs = firstWaitMs; ; waitMs *= 3) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof UnknownResultError)) throw error;
      const pauseMs = Math.max(waitMs, error.waitMs);
      if (performance.now() + pauseMs >= end) throw error;
      await sleep(pauseMs);
    }
  }
}

/** The refund with this key; it is in the provider's list also when the provider has forgotten the key itself. */
async function findRefund(call: CallYooKassa, { reference, key, signal }: Moving): Promise<Refund | undefined> {
  const all = await listRefunds(call, { payment_id: reference }, signal);
  return all.find(({ metadata }) => metadata?.[keyName] === key);
}

async function listRefunds(call: CallYooKassa, filter: Record<string, string>, signal: AbortSignal): Promise<Refund[]> {
  const found: Refund[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ ...filter, limit: "100", ...(cursor && { cursor }) });
    const page = parsed(Refunds, await call({ what: "refunds", path: `/refunds?${query}`, signal }));
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

function readNotification(bytes: Buffer): z.output<typeof Notification> {
  try {
    return Notification.parse(JSON.parse(bytes.toString()));
  } catch {
    throw new BadRequestError("Invalid payload structure");
  }
}

/** What became of a payment after an act; throws when it is still undecided. */
function ended(payment: Payment, act: string): CardPaymentEvent {
  if (payment.status === "succeeded" || payment.status === "canceled") return paymentEvent(payment);
  throw refusal(act, undefined, payment.status);
}

function paymentEvent({ id, status, amount, cancellation_details: details }: Payment): CardPaymentEvent {
  if (status === "pending") throw new Error(`YooKassa's payment '${id}' is undecided`);
  return {
    ...{ kind: "payment", id: `${id}:${status}`, reference: id, state: states[status] },
    amountRub: parseRub(amount),
    failure: status === "canceled" ? `YooKassa: ${reasonWord(details?.reason)}` : null,
  };
}

function refundEvent({ id, payment_id: reference, status, amount, metadata }: Refund): CardRefundEvent {
  if (status !== "succeeded") throw forged();
  const [amountRub, key] = [parseRub(amount), keyIn(metadata)];
  return { kind: "refund", id: `${id}:succeeded`, reference, refundReference: id, key, amountRub };
}

/** The cabinet may write metadata of its own. */
function keyIn(metadata: Record<string, string> = {}): string | null {
  const { success, data } = z.uuid().safeParse(metadata[keyName]);
  return success ? data : null;
}

const forged = () => new UnauthorizedError("YooKassa does not confirm this notification", "Webhook");

function unknownIsForged(error: unknown): never {
  throw error instanceof NotFoundError ? forged() : error;
}

const reasonWord = (reason = "canceled") => (/^\w{1,60}$/.test(reason) ? reason : "canceled");

function refusal(what: string, reason?: string, status?: string) {
  const named = status ? `the payment is '${status}'` : reasonWord(reason);
  return new CardRefusalError(`YooKassa refuses the ${what}: ${named}`, reasonWord(reason ?? status));
}

function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const where = error.issues.map(({ path }) => path.join(".") || "all").join(", ");
  throw new ConflictError(`YooKassa answered with something else than its API says, in ${where}`);
}
