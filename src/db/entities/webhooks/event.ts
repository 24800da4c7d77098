import { Column, CreateDateColumn, Entity, PrimaryColumn } from "typeorm";

/** The events of webhooks. Public names: never renamed. */
export const eventTypes = [
  "order.created",
  "order.status_changed",
  "order.paid",
  "payment.paid",
  "payment.refunded",
  "payment.unmatched",
  "waybill.committed",
  "job.succeeded",
  "job.failed",
  "job.cancelled",
  "job.unknown",
] as const;
export type EventType = (typeof eventTypes)[number];

/** The event that tests an endpoint; endpoints cannot subscribe to it. */
export const pingType = "ping";

/** An event: ids, states and times, and nothing about people. The retention removes it. */
@Entity("events")
export class Event {
  @PrimaryColumn("uuid")
  id!: string;

  @Column("text")
  type!: EventType | typeof pingType;

  @Column("text", { name: "entity_type" })
  entityType!: string;

  @Column("text", { name: "entity_id" })
  entityId!: string;

  @Column("jsonb")
  data!: Record<string, unknown>;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  /** When its deliveries were enqueued. */
  @Column("timestamptz", { name: "fanned_out_at", nullable: true })
  fannedOutAt!: Date | null;
}
