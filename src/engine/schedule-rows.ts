import type { EntityManager } from "typeorm";

export interface ScheduleRow {
  name: string;
  /** The newest slot that was handled. */
  slot: Date;
  /** The newest slot whose job succeeded; null: none yet. */
  succeededSlot: Date | null;
  createdAt: Date;
}

/** The progress of each schedule. */
export const scheduleRows = {
  /** The time by the clock of Postgres. */
  async now(tx: EntityManager): Promise<Date> {
    const [row]: { now: Date }[] = await tx.query("SELECT clock_timestamp() AS now");
    if (!row) throw new Error("Postgres did not return its time");
    return row.now;
  },

  all: (tx: EntityManager): Promise<ScheduleRow[]> =>
    tx.query(
      'SELECT name, slot, succeeded_slot AS "succeededSlot", created_at AS "createdAt" FROM job_schedule ORDER BY name',
    ),

  /** Adds a schedule that begins after `slot`. */
  async begin(tx: EntityManager, name: string, slot: Date, now: Date) {
    await tx.query("INSERT INTO job_schedule (name, slot, created_at) VALUES ($1, $2, $3)", [name, slot, now]);
  },

  async moveOn(tx: EntityManager, name: string, slot: Date, jobId: string) {
    await tx.query("UPDATE job_schedule SET slot = $2, job_id = $3 WHERE name = $1", [name, slot, jobId]);
  },

  /** Records a slot without work as succeeded. */
  async skip(tx: EntityManager, name: string, slot: Date) {
    await tx.query("UPDATE job_schedule SET slot = $2, succeeded_slot = $2, job_id = NULL WHERE name = $1", [
      name,
      slot,
    ]);
  },

  /** Records the slots whose jobs, with all their children, have succeeded. */
  async recordSuccesses(tx: EntityManager) {
    await tx.query(
      `UPDATE job_schedule SET succeeded_slot = slot FROM job
       WHERE job.id = job_schedule.job_id AND job.state = 'succeeded' AND succeeded_slot IS DISTINCT FROM slot
         AND NOT coalesce(job.result -> 'children' ?| '{failed,unknown,cancelled}', false)`,
    );
  },
};
