import type { DataSource } from "typeorm";
import { Job } from "../../src/db/entities/job.ts";
import { completeJob, deferJob, holdJob } from "../../src/db/ledger.ts";
import { enqueue } from "../../src/db/outbox.ts";
import type { AnyJob, PayloadOf } from "../../src/jobs/define-job.ts";
import type { RunOf } from "../../src/workers/context.ts";

/** A run of a promised job without a worker around it: the ledger is real, nothing beats and nothing is fenced. */
export async function startRun<J extends AnyJob>(db: DataSource, job: J, payload: PayloadOf<J>) {
  const id = await db.transaction((tx) => enqueue(tx, job, payload));
  const [[row]]: [{ epoch: number }[], number] = await db.query(
    "UPDATE job SET state = 'running', epoch = epoch + 1, claimed_by = 'test' WHERE id = $1 RETURNING epoch",
    [id],
  );
  const claim = { id, epoch: row?.epoch ?? 0, claimedBy: "test" };
  const progress: [number, number | null][] = [];
  const run: RunOf<PayloadOf<J>> = {
    id,
    request: "request-of-a-test",
    payload,
    signal: new AbortController().signal,
    complete: (effect) => db.transaction(async (tx) => completeJob(tx, claim, await effect(tx))),
    commit: (effect) =>
      db.transaction(async (tx) => {
        await holdJob(tx, claim);
        await effect(tx);
      }),
    completeBy: async (write) => {
      if (!(await write(claim))) throw new Error("The claim is lost");
    },
    commitBy: (write) => write(claim),
    defer: (delayMs) => db.transaction((tx) => deferJob(tx, claim, delayMs)),
    progress: (done, total) => void progress.push([done, total]),
  };
  return { run, progress, find: () => db.manager.findOneByOrFail(Job, { id }) };
}
