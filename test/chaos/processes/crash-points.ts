import type { Queues } from "../../../src/engine/bull-queues.ts";
import type { Outbox } from "../../../src/engine/dispatch.ts";
import type { ReconcilerStore } from "../../../src/engine/reconciler-store.ts";

/** Every moment that a process of the harness can be told to die at, by the process that comes there. */
export const crashPoints = {
  producer: ["promise.before-commit", "promise.after-commit", "lane.before-add", "lane.after-add", "lane.after-forget"],
  relay: ["sweep.before-add", "sweep.after-add", "sweep.after-commit", "books.after-dispatch", "books.after-commit"],
  worker: [
    "worker.before-claim",
    "worker.after-claim",
    "worker.before-complete",
    "worker.inside-complete",
    "worker.after-complete",
    "mail.after-sending",
    "mail.after-answer",
  ],
} as const;

export type CrashPoint = (typeof crashPoints)[keyof typeof crashPoints][number];

/** Says that the process has come to a point; it may be its last. */
export type CrashHere = (point: CrashPoint) => void;

/** Reads `CRASH_AT`: at that point, and there the n-th time, the process dies as by `kill -9`. */
export function createCrash(at = ""): CrashHere {
  const [wanted, count] = at.split(":");
  let left = Number(count);
  return (point) => {
    if (point !== wanted) return;
    left--;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  };
}

/** The outbox with the points of a relay. */
export function crashingOutbox(outbox: Outbox, crash: CrashHere): Outbox {
  return {
    takeFairShare: (publish) => outbox.takeFairShare(publish),
    async take(size, olderThanMs, publish) {
      const moved = await outbox.take(size, olderThanMs, async (jobs) => {
        crash("sweep.before-add");
        const refused = await publish(jobs);
        crash("sweep.after-add");
        return refused;
      });
      if (moved > 0) crash("sweep.after-commit");
      return moved;
    },
    async remove(jobs) {
      await outbox.remove(jobs);
      crash("lane.after-forget");
    },
  };
}

/** Puts the points of the fast lane around every `addBulk`. */
export function crashAroundAdd(queues: Queues, crash: CrashHere) {
  for (const queue of Object.values(queues.byName)) {
    const addBulk = queue.addBulk.bind(queue);
    queue.addBulk = async (jobs) => {
      crash("lane.before-add");
      const added = await addBulk(jobs);
      crash("lane.after-add");
      return added;
    };
  }
}

type WithLock = (work: (store: ReconcilerStore) => Promise<void>) => Promise<unknown>;

/** The reconciler's transaction with its points. */
export function crashingStore(withLock: WithLock, crash: CrashHere): WithLock {
  return async (work) => {
    let isDispatched = false;
    const result = await withLock((store) =>
      work({
        ...store,
        async dispatchAgain(jobs) {
          const again = await store.dispatchAgain(jobs);
          isDispatched = true;
          crash("books.after-dispatch");
          return again;
        },
      }),
    );
    if (isDispatched) crash("books.after-commit");
    return result;
  };
}
