import type { Stage, Variant } from "./stage.ts";

/** What was promised and acknowledged, against what happened. */
export interface Verdict {
  promised: number;
  lostStock: number;
  doubledStock: number;
  lostMail: number;
  doubledMail: number;
  /** Jobs that are not over, or over as failed or unknown. */
  unsettled: number;
  /** Pieces that the stock differs from its movements. */
  stockError: number;
}

/** Counts in Postgres and at the sink, and believes no process. */
export async function judge(stage: Stage, variant: Variant, acknowledged: ReadonlySet<number>): Promise<Verdict> {
  const moved = new Map<number, number>();
  for (const { n, times } of await stage.query<{ n: number; times: number }>(
    "SELECT n, count(*)::int AS times FROM chaos_movement GROUP BY n",
  ))
    moved.set(n, times);
  const numbers = [...acknowledged];
  const count = (which: (n: number) => boolean) => numbers.filter(which).length;
  const isStock = (n: number) => n % 2 === 0;
  const timesMoved = (n: number) => moved.get(n) ?? 0;
  const timesSent = (n: number) => stage.sink.arrived.get(n) ?? 0;
  const [stock] = await stage.query<{ quantity: number }>("SELECT quantity FROM chaos_stock");
  const unsettled =
    variant === "ours"
      ? await stage.query<{ jobs: number }>("SELECT count(*)::int AS jobs FROM job WHERE state <> 'succeeded'")
      : [];
  const pieces = [...moved.values()].reduce((sum, times) => sum + times, 0);
  return {
    promised: acknowledged.size,
    lostStock: count((n) => isStock(n) && timesMoved(n) === 0),
    doubledStock: count((n) => isStock(n) && timesMoved(n) > 1),
    lostMail: count((n) => !isStock(n) && timesSent(n) === 0),
    doubledMail: count((n) => !isStock(n) && timesSent(n) > 1),
    unsettled: unsettled[0]?.jobs ?? 0,
    stockError: 1_000_000 - pieces - (stock?.quantity ?? 0),
  };
}

/** True when everything that was promised has happened, once. */
export function isSpotless(verdict: Verdict) {
  const { lostStock, doubledStock, lostMail, doubledMail, unsettled, stockError } = verdict;
  return [lostStock, doubledStock, lostMail, doubledMail, unsettled, stockError].every((count) => count === 0);
}
