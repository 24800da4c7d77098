import type { DataSource } from "typeorm";
import { expect, vi } from "vitest";

const waitingSql = `
  SELECT count(*)::int AS waiting FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`;

/** Resolves when so many transactions of this database wait for a lock. It asks outside of any transaction, because inside one the answer stays. */
export async function untilBlocked(db: DataSource, transactions: number) {
  await vi.waitFor(
    async () => {
      const [row] = await db.query(waitingSql);
      expect(row.waiting).toBe(transactions);
    },
    { timeout: 2_500, interval: 20 },
  );
}

/** Ends what waits for a lock in this database, as if it had never been asked for; its client may be dead. */
export async function endBlocked(db: DataSource) {
  await db.query(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
}
