import { Mail } from "../../src/db/entities/mail/mail.ts";
import { fanOutEvents } from "../../src/services/webhooks/events.ts";
import { call, type TestApi } from "./api.ts";
import { guest, lineOf, type ShopBody, send } from "./shop.ts";
import { addUser } from "./users.ts";

/** Addresses that mails to staff go to. */
export const dealStaff = "cashier@shop.example";

export interface Customer {
  id: string;
  email: string;
  token: string;
}

/** The sums of an order, as `GET /orders/{order_id}/money` answers. */
export interface OrderMoney {
  due_rub: number;
  due_back_rub: number;
  paid_rub: number;
  refunded_rub: number;
}

/** What customers, staff and the card provider do about orders, through one profile of the API. */
export function dealsOf(api: TestApi, base: string) {
  const ask = (method: string, path: string, body?: unknown, token: string | undefined = api.tokens.employee) =>
    send(api, method, base + path, body, { token });

  /** As `ask`, and throws what was answered unless it was a success. */
  async function done(...args: Parameters<typeof ask>): Promise<ShopBody> {
    const { status, text, body } = await ask(...args);
    if (status >= 300) throw new Error(`${args[0]} ${args[1]} answered ${status}: ${text}`);
    return body;
  }

  return {
    ask,
    done,

    async customer(balanceRub = 0): Promise<Customer> {
      const { id, email } = await addUser(api.db);
      const change = { delta: balanceRub, reason: "OTHER" };
      if (balanceRub !== 0) await done("POST", `/balance/adjust/${id}`, change, api.tokens.admin);
      return { id, email, token: await api.identity.token(id) };
    },

    /** An order as the storefront sends it; of a guest without a customer. */
    async order(offerId: string, { of, quantity = 1 }: { of?: Customer | undefined; quantity?: number } = {}) {
      const contact = { ...guest, email: of?.email ?? guest.email };
      const sent = await send(
        api,
        ...(["POST", `${base}/orders`, { ...contact, order_offers: [lineOf(offerId, quantity)] }] as const),
        { token: of?.token },
      );
      if (sent.status !== 201) throw new Error(sent.text);
      return sent.body;
    },

    pay: (orderId: string, method: string, { token }: Partial<Customer> = {}, amount_rub?: number) =>
      done("POST", `/orders/${orderId}/payments`, { method, ...(amount_rub && { amount_rub }) }, token),

    /** What the customer's bank decides; the provider tells it by a signed webhook. */
    async decide({ provider_reference }: ShopBody, decision: "pay" | "authorize" | "decline") {
      const path = `${base}/payments/test-provider/${provider_reference}`;
      const { status, text } = await call(api.url + path, { method: "POST", body: new URLSearchParams({ decision }) });
      if (status !== 200) throw new Error(text);
    },

    payment: (id: string) => done("GET", `/payments/${id}`),
    money: async (orderId: string) => (await done("GET", `/orders/${orderId}/money`)) as unknown as OrderMoney,
    balance: async ({ id }: { id: string }) =>
      ((await done("GET", `/users/${id}`, undefined, api.tokens.admin)) as unknown as { balance_rub: number })
        .balance_rub,
    stock: async (offerId: string) =>
      ((await done("GET", `/offers/${offerId}`)) as unknown as { quantity: number }).quantity,
    convert: (orderId: string) => done("POST", `/orders/${orderId}/convert`, {}),
    commit: (waybillId: string, token?: string) => done("POST", `/waybills/${waybillId}/commit`, {}, token),
    cancel: (orderId: string, payments?: "keep" | "refund") =>
      done("PATCH", `/orders/${orderId}`, { status: "CANCELED", ...(payments && { payments }) }),

    /** The types of the events about an entity, the oldest first. */
    async events(entityId: string): Promise<string[]> {
      const sql = "SELECT type FROM events WHERE entity_id = $1 ORDER BY created_at, id";
      return (await api.db.query(sql, [entityId])).map(({ type }: { type: string }) => type);
    },

    /** The kinds of the mails to an address that follow from all events so far. */
    async mails(recipient: string): Promise<string[]> {
      const rules = { staff: [dealStaff], unprovedPerDay: 0 };
      const origin = { actorId: null, traceId: null };
      while ((await api.context.transact(origin, (tx) => fanOutEvents(tx, rules))) > 0);
      const found = await api.db.manager.find(Mail, { where: { recipient }, order: { createdAt: "ASC" } });
      return found.map(({ kind }) => kind).filter((kind) => kind !== "order-received");
    },

    /** What staff did at an address, as the audit log shows it. */
    async audited(path: string) {
      const { items } = await done("GET", "/audit-log?size=100", undefined, api.tokens.admin);
      const entries = items as unknown as { endpoint: string; method: string; payload: unknown }[];
      return entries.filter(({ endpoint }) => new URL(endpoint).pathname === base + path).map(({ payload }) => payload);
    },
  };
}
