import type { HeldClaim } from "./ledger.ts";
import type { JobRun } from "./processor.ts";

/** How a run ends or commits by a statement that it shares with other runs; the statement checks the fencing token. */
export interface SharedWrites {
  /**
   * As `JobRun.complete`: `write` ends the job of this claim with its effect, and returns whether the claim still held.
   * For jobs without children only: `write` does not look for them.
   */
  complete(write: (claim: HeldClaim) => Promise<boolean>): Promise<void>;
  /** As `JobRun.commit`: `write` has to check the claim. */
  commit<Result>(write: (claim: HeldClaim) => Promise<Result>): Promise<Result>;
}

const writes = new WeakMap<object, SharedWrites>();

/** Registers how this run shares its statements. */
export function allowSharedWrites(run: JobRun<unknown>, shared: SharedWrites): void {
  writes.set(run, shared);
}

/**
 * For a processor whose statements serve many runs at once (`claimHolds` is their condition); throws for other objects.
 */
export function sharedWrites(run: JobRun<unknown>): SharedWrites {
  const shared = writes.get(run);
  if (!shared) throw new Error("This is not the run of a job");
  return shared;
}
