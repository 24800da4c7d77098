import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from "typeorm";
import type { EventType } from "./event.ts";

/** An address that receives events. Its secrets are not properties, so that no view or log shows them by mistake. */
@Entity("webhook_endpoints")
export class WebhookEndpoint {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("text")
  url!: string;

  @Column("text", { nullable: true })
  description!: string | null;

  @Column("text", { name: "event_types", array: true })
  eventTypes!: EventType[];

  @Column("boolean", { name: "is_active", default: true })
  isActive!: boolean;

  /** Failed attempts since the last success. */
  @Column("integer", { name: "consecutive_failures", default: 0 })
  consecutiveFailures!: number;

  /** When the first of them failed. */
  @Column("timestamptz", { name: "failing_since", nullable: true })
  failingSince!: Date | null;

  /** Set when the system disabled it, and not a person. */
  @Column("timestamptz", { name: "disabled_at", nullable: true })
  disabledAt!: Date | null;

  @Column("text", { name: "disabled_reason", nullable: true })
  disabledReason!: string | null;

  @Column("uuid", { name: "created_by", nullable: true })
  createdBy!: string | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
