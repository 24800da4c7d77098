import {
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from "typeorm";
import { bigint } from "../bigint.ts";
import { Waybill } from "../stock/waybill.ts";

export const currencies = ["RUB", "USD", "EUR", "TRY"] as const;
export type Currency = (typeof currencies)[number];

/** Reasons that staff may give for an adjustment. */
export const adjustmentReasons = ["WAYBILL_PAYMENT", "ADMIN_ADJUSTMENT", "PROMOTION_CREDIT", "OTHER"] as const;
export const balanceReasons = [...adjustmentReasons, "ORDER_PAYMENT", "ORDER_REFUND"] as const;
export type BalanceReason = (typeof balanceReasons)[number];

/** One change of one balance of a user; immutable. */
@Entity("user_balance_history")
export class BalanceEntry {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "user_id" })
  userId!: string;

  @Column("uuid", { name: "waybill_id", nullable: true })
  waybillId!: string | null;

  @ManyToOne(() => Waybill)
  @JoinColumn({ name: "waybill_id" })
  waybill!: Relation<Waybill> | null;

  @Column("uuid", { name: "payment_id", nullable: true })
  paymentId!: string | null;

  @Column("uuid", { name: "refund_id", nullable: true })
  refundId!: string | null;

  @Column("bigint", { transformer: bigint })
  delta!: number;

  @Column("bigint", { name: "balance_before", transformer: bigint })
  balanceBefore!: number;

  @Column("bigint", { name: "balance_after", transformer: bigint })
  balanceAfter!: number;

  @Column("text")
  currency!: Currency;

  @Column("text")
  reason!: BalanceReason;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
