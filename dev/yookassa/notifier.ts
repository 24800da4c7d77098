import { setTimeout as sleep } from "node:timers/promises";
import type { FaultPlan } from "./faults.ts";

export interface Notification {
  type: "notification";
  event: string;
  object: unknown;
}

/** Sends notifications, and again until they are accepted. */
export interface Notifier {
  /** Where notifications go from now on; undefined: nowhere. */
  url: string | undefined;
  send(event: string, object: object): void;
  /** Sends what was held, the newest first. */
  release(): void;
  /** Resolves when each notification that was sent is accepted or given up. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface NotifierOptions {
  faults: FaultPlan;
  /** Wait before the first repetition, ms; it doubles each time. */
  retryMs: number;
}

const tries = 12;
const answerMs = 15_000;

/** Makes a notifier that sends nothing before it has an address. */
export function createNotifier({ faults, retryMs }: NotifierOptions): Notifier {
  const stop = new AbortController();
  const held: Notification[] = [];
  const running = new Set<Promise<void>>();

  async function deliver(body: string, url: string) {
    for (let at = 0; at < tries && !stop.signal.aborted; at++) {
      if (at > 0) await sleep(Math.min(retryMs * 2 ** at, 60_000), undefined, { signal: stop.signal }).catch(() => {});
      const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(answerMs)]);
      const headers = { "content-type": "application/json" };
      const isAccepted = await fetch(url, { method: "POST", headers, body, signal }).then(
        async (response) => {
          await response.body?.cancel();
          return response.ok;
        },
        () => false,
      );
      if (isAccepted) return;
    }
  }

  function start(notification: Notification) {
    if (notifier.url === undefined) return;
    const work = deliver(JSON.stringify(notification), notifier.url).finally(() => running.delete(work));
    running.add(work);
  }

  const notifier: Notifier = {
    url: undefined,
    send(event, object) {
      const notification: Notification = { type: "notification", event, object: structuredClone(object) };
      const fault = faults.takeNotification();
      if (fault === "lost") return;
      if (fault === "held") return void held.push(notification);
      start(notification);
      if (fault === "doubled") start(notification);
    },
    release() {
      for (const notification of held.splice(0).reverse()) start(notification);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
    async stop() {
      stop.abort();
      await Promise.all(running);
    },
  };
  return notifier;
}
