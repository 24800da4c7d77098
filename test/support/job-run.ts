import type { DataSource } from "typeorm";
import type { AnyJob, PayloadOf } from "../../src/engine/define-job.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { completeJob, lockClaim, snoozeJob } from "../../src/engine/ledger.ts";
import { enqueue } from "../../src/engine/outbox.ts";
import type { JobRun } from "../../src/engine/processor.ts";
import { allowSharedWrites } from "../../src/engine/processor.ts";

/** A run of a promised job without a worker around it: the ledger is real, nothing beats and nothing is fenced. */
export async function startRun<J extends AnyJob>(db: DataSource, job: J, payload: PayloadOf<J>) {
  const id = await db.transaction((tx) => enqueue(tx, job, payload));
  const [[row]]: [{ epoch: number }[], number] = await db.query(
    "UPDATE job SET state = 'running', epoch = epoch + 1, claimed_by = 'test' WHERE id = $1 RETURNING epoch",
    [id],
  );
  const claim = { id, epoch: row?.epoch ?? 0, claimedBy: "test" };
  const progress: [number, number | null][] = [];
  const run: JobRun<PayloadOf<J>> = {
    id,
    request: "request-of-a-test",
    payload,
    signal: new AbortController().signal,
    async complete(effect) {
      await db.transaction(async (tx) => completeJob(tx, claim, await effect(tx)));
    },
    commit: (effect) =>
      db.transaction(async (tx) => {
        await lockClaim(tx, claim);
        await effect(tx);
      }),
    snooze: (delayMs) => db.transaction((tx) => snoozeJob(tx, claim, delayMs)),
    progress: (done, total) => void progress.push([done, total]),
  };
  allowSharedWrites(run, {
    complete: async (write) => {
      if (!(await write(claim))) throw new Error("The claim is lost");
    },
    commit: (write) => write(claim),
  });
  return { run, progress, find: () => db.manager.findOneByOrFail(Job, { id }) };
}
