import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { DataSource } from "typeorm";
import { describe, expect, test } from "vitest";
import { Job, type JobState } from "../../src/engine/job-entity.ts";
import {
  type Claim,
  claimJobs,
  completeJob,
  type FailureCost,
  FencedError,
  finishJobs,
  releaseJob,
  renewLeases,
} from "../../src/engine/ledger.ts";
import { createOutbox, enqueue } from "../../src/engine/outbox.ts";
import { withReconcilerLock } from "../../src/engine/reconciler-store.ts";
import type { KeyedPool } from "../../src/platform/postgres/prepared.ts";
import { cancelJob, retryJob } from "../../src/services/operations/job-control.ts";
import { useDatabase, useKeyedPool } from "../support/database.ts";
import { testJob } from "../support/engine.ts";
import { anAdmin } from "../support/operators.ts";

const job = testJob("modelled");
const maxFailures = job.retry.attempts;

/** What one row of the ledger has to be, told in the plainest way. */
interface Model {
  state: JobState;
  epoch: number;
  gen: number;
  failures: number;
  crashes: number;
  isOnOutbox: boolean;
  isCancelled: boolean;
  isLeaseOver: boolean;
}

/** The real thing: the row, and all claims on it that a worker ever got. */
interface Real {
  db: DataSource;
  pool: KeyedPool;
  id: string;
  claims: Claim[];
}

type Step = fc.AsyncCommand<Model, Real>;

const error = { name: "Error", message: "no", at: "2026-01-01T00:00:00.000Z" };
const badEnds: JobState[] = ["failed", "cancelled", "unknown"];

abstract class Command implements Step {
  abstract apply(model: Model, real: Real): Promise<void>;
  check = () => true;
  async run(model: Model, real: Real) {
    await this.apply(model, real);
    const { state, epoch, gen, failures, crashes, cancellation, finishedAt } = await real.db.manager.findOneByOrFail(
      Job,
      {
        id: real.id,
      },
    );
    const waiting = await real.db.query("SELECT gen FROM job_outbox WHERE job_id = $1", [real.id]);
    expect({ state, epoch, gen, failures, crashes, isCancelled: cancellation !== null }).toEqual({
      state: model.state,
      epoch: model.epoch,
      gen: model.gen,
      failures: model.failures,
      crashes: model.crashes,
      isCancelled: model.isCancelled,
    });
    expect(waiting).toEqual(model.isOnOutbox ? [{ gen: model.gen }] : []);
    expect(finishedAt === null).toBe(["open", "running", "waiting"].includes(state));
  }
}

class ClaimIt extends Command {
  override toString = () => "claim";
  override async apply(model: Model, real: Real) {
    const [result] = await claimJobs(real.db, real.pool, [real.id], "model", 60_000);
    const isTaken = model.state === "running";
    const isFree = !model.isCancelled && (model.state === "open" || (isTaken && model.isLeaseOver));
    expect(result?.outcome === "claimed").toBe(isFree);
    if (result?.outcome !== "claimed") return;
    real.claims.push(result.claim);
    if (isTaken) model.crashes++;
    Object.assign(model, { state: "running", epoch: model.epoch + 1, isLeaseOver: false });
  }
}

class LeaseRunsOut extends Command {
  override toString = () => "lease runs out";
  override async apply(model: Model, { db, id }: Real) {
    await db.query("UPDATE job SET lease_until = now() - interval '1 hour' WHERE id = $1 AND state = 'running'", [id]);
    if (model.state === "running") model.isLeaseOver = true;
  }
}

/** Any claim there ever was: the newest holds while the job runs, all others must do nothing. */
abstract class ByClaim extends Command {
  constructor(private readonly pick: number) {
    super();
  }
  override async apply(model: Model, real: Real) {
    const claim = real.claims[this.pick % Math.max(1, real.claims.length)];
    if (claim) await this.use(claim, claim.epoch === model.epoch && model.state === "running", model, real);
  }
  abstract use(claim: Claim, holds: boolean, model: Model, real: Real): Promise<void>;
}

class Renew extends ByClaim {
  override toString = () => "renew";
  override async use(claim: Claim, holds: boolean, model: Model, { db }: Real) {
    const expected = model.isCancelled ? "cancelled" : "held";
    expect(await renewLeases(db, [claim], 60_000)).toEqual([holds ? expected : "lost"]);
    if (holds) model.isLeaseOver = false;
  }
}

class Finish extends ByClaim {
  override toString = () => "finish";
  override async use(claim: Claim, holds: boolean, model: Model, { pool }: Real) {
    expect(await finishJobs(pool, [claim])).toEqual([holds ? "succeeded" : undefined]);
    if (holds) model.state = "succeeded";
  }
}

class Complete extends ByClaim {
  override toString = () => "complete";
  override async use(claim: Claim, holds: boolean, model: Model, { db }: Real) {
    const completing = db.transaction((tx) => completeJob(tx, claim, null));
    if (holds) await completing;
    else await expect(completing).rejects.toBeInstanceOf(FencedError);
    if (holds) model.state = "succeeded";
  }
}

class Release extends ByClaim {
  constructor(
    pick: number,
    private readonly cost: FailureCost,
  ) {
    super(pick);
  }
  override toString = () => `release (${this.cost})`;
  override async use(claim: Claim, holds: boolean, model: Model, { db }: Real) {
    const release = { outcome: "failed" as const, cost: this.cost, error, errorKey: null };
    const state = await releaseJob(db, claim, release);
    if (holds) {
      if (this.cost !== "none") model.failures++;
      const isOver = this.cost === "all" || (this.cost === "one" && model.failures >= maxFailures);
      model.state = model.isCancelled ? "cancelled" : isOver ? "failed" : "open";
    }
    expect(state).toBe(holds ? model.state : undefined);
  }
}

class Relay extends Command {
  override toString = () => "relay";
  override async apply(model: Model, { db, id }: Real) {
    const seen: string[] = [];
    await createOutbox(db, ["maintenance"]).take(1_000, 0, async (jobs) => {
      seen.push(...jobs.map(({ jobId }) => jobId));
      return [];
    });
    expect(seen.includes(id)).toBe(model.isOnOutbox);
    model.isOnOutbox = false;
  }
}

/** Redis has lost everything, and the reconciler has noticed. */
class LoseRedis extends Command {
  override toString = () => "Redis is wiped";
  override async apply(model: Model, { db, id }: Real) {
    const isSuspect =
      !model.isOnOutbox &&
      (model.state === "open" || (model.state === "running" && model.isLeaseOver && !model.isCancelled));
    await withReconcilerLock(db)(async (store) => {
      await store.cancelAbandoned();
      const suspects = await store.findSuspects("00000000-0000-0000-0000-000000000000", -60_000, 1_000);
      const own = suspects.filter(({ jobId }) => jobId === id);
      // A lease that lasts for longer than the quiet time is none.
      const isLeased = model.state === "running" && !model.isLeaseOver;
      if (!isLeased) expect(own).toHaveLength(isSuspect ? 1 : 0);
      if (isSuspect) await store.dispatchAgain(own);
    });
    if (model.state === "running" && model.isLeaseOver && model.isCancelled) model.state = "cancelled";
    if (isSuspect) Object.assign(model, { gen: model.gen + 1, isOnOutbox: true });
  }
}

class Cancel extends Command {
  override toString = () => "cancel";
  override async apply(model: Model, { db, id }: Real) {
    const isLive = model.state === "open" || model.state === "running";
    const cancelling = db.transaction((tx) => cancelJob(tx, id, anAdmin));
    if (isLive || model.isCancelled || model.state === "cancelled") await cancelling;
    else await expect(cancelling).rejects.toThrow("nothing to cancel");
    if (isLive) model.isCancelled = true;
    if (model.state === "open") Object.assign(model, { state: "cancelled", isOnOutbox: false });
  }
}

class Retry extends Command {
  override toString = () => "retry";
  override async apply(model: Model, { db, id }: Real) {
    const isOver = badEnds.includes(model.state);
    const retrying = db.transaction((tx) => retryJob(tx, id, anAdmin));
    if (!isOver) return void (await expect(retrying).rejects.toThrow("can be retried"));
    await retrying;
    const fresh = { state: "open", failures: 0, crashes: 0, isCancelled: false, isOnOutbox: true } as const;
    Object.assign(model, { ...fresh, gen: model.gen + 1 });
  }
}

describe("a row of the ledger, whatever is done with it in whatever order", () => {
  const db = useDatabase();
  const pool = useKeyedPool(db);
  const pick = fc.nat({ max: 5 });
  const commands = [
    fc.constant(new ClaimIt()),
    fc.constant(new ClaimIt()),
    fc.constant(new LeaseRunsOut()),
    fc.constant(new Relay()),
    fc.constant(new LoseRedis()),
    fc.constant(new Cancel()),
    fc.constant(new Retry()),
    pick.map((which) => new Renew(which)),
    pick.map((which) => new Finish(which)),
    pick.map((which) => new Complete(which)),
    fc.tuple(pick, fc.constantFrom<FailureCost>("none", "one", "all")).map(([which, cost]) => new Release(which, cost)),
  ];

  test("is what the model says", { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(fc.commands(commands, { maxCommands: 25 }), async (steps) => {
      const id = await db.transaction((tx) => enqueue(tx, job, { id: randomUUID() }));
      const model: Model = {
        state: "open",
        epoch: 0,
        gen: 1,
        failures: 0,
        crashes: 0,
        isOnOutbox: true,
        isCancelled: false,
        isLeaseOver: false,
      };
      await fc.asyncModelRun(() => ({ model, real: { db, pool: pool(), id, claims: [] } }), steps);
      await db.query("DELETE FROM job_outbox; DELETE FROM job");
    });
    await fc.assert(property, { numRuns: 120 });
  });
});
