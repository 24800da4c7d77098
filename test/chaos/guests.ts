import { setTimeout as sleep } from "node:timers/promises";

export type Guests = ReturnType<typeof startGuests>;

export interface GuestsOptions {
  /** Addresses of API processes, as behind a balancer that tries the next one. */
  urls: readonly string[];
  offerId: string;
  perSecond: number;
  run: string;
}

const askMs = 8_000;
const patienceMs = 90_000;

const body = (note: string, offerId: string) =>
  JSON.stringify({
    note,
    status: "NEW",
    shipping_method: "SELF_PICKUP",
    first_name: "Иван",
    last_name: "Петров",
    email: "buyer@test.example",
    phone: "+79780000000",
    order_offers: [{ offer_id: offerId, quantity: 1 }],
  });

/** Guests of the real API: each sends an order with an Idempotency-Key again and again until it has its 201. */
export function startGuests({ urls, offerId, perSecond, run }: GuestsOptions) {
  const ordered: string[] = [];
  const answers: Record<string, number> = {};
  let isOpen = true;
  let sent = 0;

  const ask = async (note: string, attempt: number) => {
    const url = urls[attempt % urls.length];
    const response = await fetch(`${url}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": note },
      body: body(note, offerId),
      signal: AbortSignal.timeout(askMs),
    });
    answers[response.status] = (answers[response.status] ?? 0) + 1;
    await response.arrayBuffer();
    return response.status;
  };
  const order = async (note: string, first: number) => {
    const end = Date.now() + patienceMs;
    for (let attempt = first; Date.now() < end; attempt++) {
      // No connection: a pod that is gone, and the balancer takes another.
      const status = await ask(note, attempt).catch(() => 0);
      if (status === 201) return void ordered.push(note);
      // To ask again for what was refused is no use.
      if (status >= 400 && status < 500) return;
      await sleep(100);
    }
  };
  const open = (async () => {
    const running: Promise<void>[] = [];
    for (const began = Date.now(); isOpen; ) {
      const due = Math.floor(((Date.now() - began) / 1_000) * perSecond);
      for (; sent < due; sent++) running.push(order(`${run}-order-${sent}`, sent));
      await sleep(10);
    }
    await Promise.all(running);
  })();
  return {
    /** Notes of orders that were answered 201. */
    ordered,
    /** How often each status was answered. */
    answers,
    sent: () => sent,
    /** No guest comes any more; resolves when all that came have their answer. */
    async close() {
      isOpen = false;
      await open;
    },
  };
}
