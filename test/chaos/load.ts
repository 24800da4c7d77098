import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../dev/demo/random.ts";
import { kindNames } from "./processes/kinds.ts";
import type { Order } from "./processes/order-server.ts";
import { items } from "./schema.ts";

export type Load = ReturnType<typeof startLoad>;

export interface LoadOptions {
  url: string;
  random: Random;
  jobs: number;
  /** Over so long they are promised, if the producer keeps up. */
  windowMs: number;
  /** Besides those, jobs that fail until they are mended. */
  broken: number;
}

/**
 * A client whose patience is over is told so by an assertion of the oracle, not by an endless run. A producer that dies
 * with every first to third promise keeps one of forty waiting for minutes.
 */
const patienceMs = 600_000;
const askMs = 4_000;
const lanes = 40;

/** Wants half stock and half mail jobs promised, asking again with the same key until it is told that each is. */
export function startLoad({ url, random, jobs, windowMs, broken }: LoadOptions) {
  const run = random.uuid().slice(0, 8);
  const orders = makeOrders(run, random, jobs, broken);
  const acknowledged = new Map<string, Order>();
  const counts = { asked: 0, outages: 0, resets: 0, errors: 0 };
  const began = Date.now();
  const closing = new AbortController();
  let next = 0;
  let begun = 0;

  const ask = async (order: Order) => {
    const response = await fetch(url, {
      method: "POST",
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(askMs),
    });
    if (response.status === 202) return acknowledged.set(order.key, order);
    counts[response.status === 503 ? "outages" : "errors"]++;
    return undefined;
  };
  const untilPromised = async (order: Order) => {
    for (const end = Date.now() + patienceMs; Date.now() < end; ) {
      counts.asked++;
      const isDone = await ask(order).catch(() => {
        counts.resets++;
        return undefined;
      });
      if (isDone) return;
      await sleep(100);
    }
  };
  const lane = async () => {
    for (let n = next++; n < orders.length; n = next++) {
      const waitMs = began + (n / orders.length) * windowMs - Date.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      begun++;
      await untilPromised(orders[n] as Order);
    }
  };
  return {
    /** Part of every key of this run. */
    run,
    orders,
    acknowledged,
    counts,
    /** How many it has begun to ask for. */
    begun: () => begun,
    /** Nothing more is wanted than what was asked for. */
    close: () => closing.abort(),
    done: Promise.all(Array.from({ length: lanes }, lane)).then(() => undefined),
  };
}

function makeOrders(run: string, random: Random, jobs: number, broken: number): Order[] {
  const orders = Array.from({ length: jobs }, (_, n): Order => {
    const ref = `${run}-${n}`;
    if (n % 2 === 1) return { key: ref, kind: kindNames.mail, payload: { ref, to: `buyer-${n}@chaos.example` } };
    const payload = { ref, item: random.int(1, items), delta: random.int(-9, 9), withReceipt: n % 20 === 0 };
    return { key: ref, kind: kindNames.stock, payload };
  });
  const failing = Array.from({ length: broken }, (_, n): Order => {
    const ref = `${run}-broken-${n}`;
    return { key: ref, kind: kindNames.broken, payload: { ref } };
  });
  return random.shuffle([...orders, ...failing]);
}
