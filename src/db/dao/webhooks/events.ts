import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { Event } from "../../entities/webhooks/event.ts";

export type NewEvent = Pick<Event, "type" | "entityType" | "entityId" | "data">;

/** Events as rows; only the time of their fan-out ever changes. */
export const events = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Event, { id }),

  async insert(tx: EntityManager, { type, entityType, entityId, data }: NewEvent): Promise<string> {
    const id = uuidv7();
    await tx.query("INSERT INTO events (id, type, entity_type, entity_id, data) VALUES ($1, $2, $3, $4, $5)", [
      ...[id, type, entityType, entityId],
      JSON.stringify(data),
    ]);
    return id;
  },

  /** True when there is an event whose deliveries are not enqueued. */
  async isAnyNew(tx: EntityManager): Promise<boolean> {
    return (await tx.query("SELECT FROM events WHERE fanned_out_at IS NULL LIMIT 1")).length > 0;
  },

  /** Locks the oldest events whose deliveries are not enqueued; skips those that another transaction has locked. */
  takeNew: (tx: EntityManager, limit: number): Promise<Pick<Event, "id" | "type" | "entityId" | "data">[]> =>
    tx.query(
      `SELECT id, type, entity_id AS "entityId", data FROM events WHERE fanned_out_at IS NULL
       ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`,
      [limit],
    ),

  async markFannedOut(tx: EntityManager, ids: readonly string[]) {
    await tx.query("UPDATE events SET fanned_out_at = now() WHERE id = ANY($1)", [ids]);
  },
};
