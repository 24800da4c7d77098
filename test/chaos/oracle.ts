import { messageIdOf } from "./processes/chaos-mailer.ts";
import { kindNames } from "./processes/kinds.ts";
import type { Order } from "./processes/order-server.ts";
import { receiptKeyOf } from "./processes/processors.ts";
import { initialQuantity } from "./schema.ts";
import type { Stack } from "./stack.ts";

/** What became of the jobs of one kind of work. */
export interface Tally {
  promised: number;
  done: number;
  /** Acknowledged, and it will not happen. */
  lost: number;
  /** Happened more than once. */
  doubled: number;
  /** In the ledger as `unknown`: for people to settle. */
  unknown: number;
  /** Given up, though nothing was wrong with it. */
  failed: number;
  /** Not over when the time was. */
  stuck: number;
}

export interface Verdict {
  stock: Tally;
  mail: Tally;
  /** Orders of the real API. */
  guests: Tally;
  /** Sentences about broken invariants; none when all is well. */
  violations: string[];
}

interface LedgerRow {
  ref: string;
  state: string;
  has_cause: boolean;
}

/** Looks from outside at what a run has left: the ledger, the effects, the sink and the bucket. */
export async function judge(
  stack: Stack,
  acknowledged: ReadonlyMap<string, Order>,
  ordered: readonly string[],
  failing: number,
): Promise<Verdict> {
  const { postgres, sink } = stack;
  const ledger = new Map(
    (
      await postgres.query<LedgerRow>(
        "SELECT entity_id AS ref, state, last_error IS NOT NULL AS has_cause FROM job WHERE entity_type = 'chaos'",
      )
    ).map((row) => [row.ref, row]),
  );
  const moved = new Map(
    (
      await postgres.query<{ ref: string; times: number }>(
        "SELECT source_key AS ref, count(*)::int AS times FROM chaos_movement GROUP BY source_key",
      )
    ).map(({ ref, times }) => [ref, times]),
  );
  const orders = [...acknowledged.values()];
  const of = (kind: Order["kind"]) => orders.filter((order) => order.kind === kind).map(({ payload }) => payload.ref);
  const stock = tally(of(kindNames.stock), ledger, (ref) => moved.get(ref) ?? 0);
  const mail = tally(of(kindNames.mail), ledger, (ref) => sink.received.get(messageIdOf(ref)) ?? 0);
  const guests = await tallyOrders(stack, ordered);
  const asItShould = Math.min(mail.failed, failing);
  return {
    stock,
    mail,
    guests,
    violations: [
      ...complaints("stock", stock),
      ...complaints("mail", { ...mail, failed: mail.failed - asItShould }),
      ...complaints("guests' order", guests),
      ...(asItShould < failing ? [`${failing} mails were refused for good, and ${asItShould} say so`] : []),
      ...(await withoutPromise(stack, ledger)),
      ...(await wrongSums(stack)),
      ...(await missingReceipts(stack)),
      ...withoutCause(ledger),
    ],
  };
}

const nothing: Tally = { promised: 0, done: 0, lost: 0, doubled: 0, unknown: 0, failed: 0, stuck: 0 };

function tally(refs: string[], ledger: ReadonlyMap<string, LedgerRow>, times: (ref: string) => number): Tally {
  const sum = { ...nothing, promised: refs.length };
  for (const ref of refs) {
    const happened = times(ref);
    const state = ledger.get(ref)?.state;
    if (happened > 1) sum.doubled++;
    if (state === "unknown") sum.unknown++;
    else if (state === "failed" || state === "cancelled") sum.failed++;
    else if (state !== undefined && state !== "succeeded") sum.stuck++;
    else if (happened === 0) sum.lost++;
    else sum.done++;
  }
  return sum;
}

/** Each order that was answered 201 is there, once. */
async function tallyOrders({ postgres }: Stack, ordered: readonly string[]): Promise<Tally> {
  const rows = await postgres.query<{ times: number }>(
    "SELECT count(*)::int AS times FROM orders WHERE note = ANY($1) GROUP BY note",
    [ordered],
  );
  const doubled = rows.filter(({ times }) => times > 1).length;
  return { ...nothing, promised: ordered.length, done: rows.length, lost: ordered.length - rows.length, doubled };
}

const wrong = ["lost", "doubled", "unknown", "failed", "stuck"] as const;

const complaints = (work: string, sum: Tally) =>
  wrong.filter((name) => sum[name] > 0).map((name) => `${sum[name]} of ${sum.promised} ${work} jobs are ${name}`);

/** Nothing has happened that was not promised. */
async function withoutPromise({ postgres, sink }: Stack, ledger: ReadonlyMap<string, LedgerRow>) {
  const [row] = await postgres.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM chaos_movement
     WHERE NOT EXISTS (SELECT 1 FROM job WHERE entity_type = 'chaos' AND entity_id = source_key)`,
  );
  const strays = [...sink.received.keys()].filter((id) => !ledger.has(id.slice(1, id.indexOf("@")))).length;
  const moved = row?.count ?? 0;
  return [
    ...(moved > 0 ? [`${moved} movements of stock have no job`] : []),
    ...(strays > 0 ? [`${strays} mails have no job`] : []),
  ];
}

/** The stock of each item is what it was at first and what was moved since. */
async function wrongSums({ postgres }: Stack) {
  const rows = await postgres.query<{ item: number }>(
    `SELECT item FROM chaos_stock LEFT JOIN chaos_movement USING (item) GROUP BY item, quantity
     HAVING quantity <> $1 + coalesce(sum(delta), 0)`,
    [initialQuantity],
  );
  return rows.length > 0 ? [`The stock of ${rows.length} items is not the sum of its movements`] : [];
}

/** What Postgres says is in the bucket is there. */
async function missingReceipts({ postgres, bucket }: Stack) {
  const rows = await postgres.query<{ source_key: string; receipt_key: string }>(
    "SELECT source_key, receipt_key FROM chaos_movement WHERE receipt_key IS NOT NULL",
  );
  const keys = await bucket.keys();
  const missing = rows.filter((row) => !keys.has(row.receipt_key) || row.receipt_key !== receiptKeyOf(row.source_key));
  return missing.length > 0 ? [`${missing.length} receipts of ${rows.length} are not in the bucket`] : [];
}

/** A failed job says why it failed. */
function withoutCause(ledger: ReadonlyMap<string, LedgerRow>) {
  const silent = [...ledger.values()].filter(({ state, has_cause }) => state === "failed" && !has_cause).length;
  return silent > 0 ? [`${silent} failed jobs have no cause`] : [];
}
