import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import type { AnyJob } from "../../../src/engine/define-job.ts";
import type { JobRun, Kinds } from "../../../src/engine/processor.ts";
import { PermanentError, UnavailableError } from "../../../src/errors.ts";
import { UncertainMailError } from "../../../src/platform/mailer.ts";
import { isPostgresUnavailable } from "../../../src/platform/postgres/errors.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { mailOf, messageIdOf } from "./chaos-mailer.ts";
import type { CrashHere } from "./crash-points.ts";
import { type ChaosKind, kindNames, type MailPayload, type StockPayload } from "./kinds.ts";

/** Longer than a frozen worker (8 s) can still have a mail on the wire. */
export const graceMs = 12_000;

export interface Means {
  crash: CrashHere;
  /** How long each job takes besides its work. */
  workMs: number;
  /** Whether the sink has a message with this id. */
  hasArrived: (messageId: string, signal: AbortSignal) => Promise<boolean>;
}

/** The jobs of the harness and how they are done. */
export function createKinds(jobs: Record<ChaosKind, AnyJob>, means: Means): Kinds<WorkerContext> {
  const { crash } = means;
  return {
    jobs,
    processors: {
      [kindNames.stock]: {
        async run(job: JobRun<StockPayload>, context: WorkerContext) {
          crash("worker.after-claim");
          await sleep(means.workMs);
          const receiptKey = job.payload.withReceipt ? await putReceipt(context, job.payload) : null;
          crash("worker.before-complete");
          await job.complete(async (tx) => {
            await move(tx, job.payload, receiptKey);
            crash("worker.inside-complete");
          });
          crash("worker.after-complete");
        },
      },
      [kindNames.mail]: { run: (job, context) => sendMail(job, context, means) },
      [kindNames.broken]: {
        async run(job: JobRun<{ ref: string }>, { db }: WorkerContext) {
          const [repair] = await db.query("SELECT is_mended FROM chaos_repair");
          if (!repair.is_mended) throw new PermanentError("It is not repaired yet");
          await job.complete((tx) => move(tx, { ref: job.payload.ref, item: 1, delta: 0, withReceipt: false }, null));
        },
      },
    },
  };
}

/** The effect of a stock job: one movement, and the stock that it leaves. */
export async function move(
  tx: Pick<EntityManager, "query">,
  { ref, item, delta }: StockPayload,
  receipt: string | null,
) {
  await tx.query("INSERT INTO chaos_movement (source_key, item, delta, receipt_key) VALUES ($1, $2, $3, $4)", [
    ref,
    item,
    delta,
    receipt,
  ]);
  await tx.query("UPDATE chaos_stock SET quantity = quantity + $2 WHERE item = $1", [item, delta]);
}

/** Stores a receipt under the hash of what it says, so that a repeat is harmless; returns its key. */
async function putReceipt({ store }: WorkerContext, { ref }: StockPayload) {
  const key = receiptKeyOf(ref);
  await store.put(key, Buffer.from(ref), { contentType: "text/plain" });
  return key;
}

export const receiptKeyOf = (ref: string) => `chaos/${createHash("sha256").update(ref).digest("hex")}`;

interface MailRow {
  state: "sending" | "retry" | "sent" | "unknown";
  ageMs: number;
}

async function sendMail(job: JobRun<MailPayload>, { db, mailer }: WorkerContext, means: Means) {
  const { ref } = job.payload;
  const recordSent = () => untilWritten(job.signal, () => job.complete((tx) => tx.query(noteSql, [ref, "sent"])));
  const [row]: MailRow[] = await db.query(
    `SELECT state, (extract(epoch FROM now() - sending_at) * 1000)::int AS "ageMs" FROM chaos_mail WHERE send_key = $1`,
    [ref],
  );
  if (row?.state === "sent") return recordSent();
  if (row?.state === "sending") {
    if (row.ageMs < graceMs) throw new UnavailableError("It may be on its way: too early to look for it");
    if (await means.hasArrived(messageIdOf(ref), job.signal)) return recordSent();
  }
  await job.commit((tx) => tx.query(beginSql, [ref, messageIdOf(ref)]));
  means.crash("mail.after-sending");
  try {
    await mailer.send(mailOf(job.payload), { signal: job.signal });
  } catch (error) {
    if (error instanceof UncertainMailError) throw new UnavailableError("It may have arrived", { cause: error });
    await untilWritten(job.signal, () => job.commit((tx) => tx.query(noteSql, [ref, "retry"])));
    throw error;
  }
  means.crash("mail.after-answer");
  await recordSent();
}

const noteSql = "UPDATE chaos_mail SET state = $2 WHERE send_key = $1";
const beginSql = `
  INSERT INTO chaos_mail (send_key, message_id, state, sending_at) VALUES ($1, $2, 'sending', now())
  ON CONFLICT (send_key) DO UPDATE SET state = 'sending', sending_at = now()`;

/** What is out is out: an outage of Postgres must not make the ledger forget it. */
async function untilWritten(signal: AbortSignal, write: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      if (!isPostgresUnavailable(error) || signal.aborted) throw error;
      await sleep(200, undefined, { signal });
    }
  }
}
