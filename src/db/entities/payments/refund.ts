import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from "typeorm";

export const refundStates = ["pending", "succeeded", "failed"] as const;
export type RefundState = (typeof refundStates)[number];

/** Money of a payment that goes back to its payer; a payment may have several. */
@Entity("refunds")
export class Refund {
  @PrimaryColumn("uuid")
  id!: string;

  @Column("uuid", { name: "payment_id" })
  paymentId!: string;

  @Column("integer", { name: "amount_rub" })
  amountRub!: number;

  @Column("text", { nullable: true })
  reason!: string | null;

  /** pending: the provider has yet to do it. */
  @Column("text")
  state!: RefundState;

  /** Why the provider refused it. */
  @Column("text", { nullable: true })
  failure!: string | null;

  /** The return whose goods the money is for. */
  @Column("uuid", { name: "waybill_id", nullable: true })
  waybillId!: string | null;

  /** The provider's id of the refund. */
  @Column("text", { name: "provider_reference", nullable: true })
  providerReference!: string | null;

  @Column("uuid", { name: "created_by", nullable: true })
  createdBy!: string | null;

  @Column("timestamptz", { name: "finished_at", nullable: true })
  finishedAt!: Date | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
