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
