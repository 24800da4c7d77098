import type { EntityManager } from "typeorm";

export const receivedEvents = {
  /** Records a message of another system; false when it came before. Waits for a transaction with the same message. */
  async record(tx: EntityManager, { source, eventId }: { source: string; eventId: string }): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      "INSERT INTO received_events (source, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event_id",
      [source, eventId],
    );
    return rows.length > 0;
  },
};
