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
import { Order } from "../orders/order.ts";

export const paymentMethods = ["BALANCE", "INVOICE", "CASH", "CARD"] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

/**
 * unmatched: money that arrived and belongs to no open sum, until staff assigns it; credited: staff assigned it to a
 * balance.
 */
export const paymentStates = ["pending", "authorized", "paid", "failed", "refunded", "unmatched", "credited"] as const;
export type PaymentState = (typeof paymentStates)[number];

/** Why money that arrived matched nothing. */
export const unmatchedReasons = ["order_canceled", "order_deleted", "nothing_due", "wrong_amount"] as const;
export type UnmatchedReason = (typeof unmatchedReasons)[number];

/** Money for one order. Card numbers are never stored here: the provider has them. */
@Entity("payments")
export class Payment {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  /** Null when its order was deleted. */
  @Column("uuid", { name: "order_id", nullable: true })
  orderId!: string | null;

  @ManyToOne(() => Order)
  @JoinColumn({ name: "order_id" })
  order!: Relation<Order> | null;

  @Column("text")
  method!: PaymentMethod;

  @Column("text")
  state!: PaymentState;

  /** The order that it was made for, when that was deleted or staff assigned the money to another one. */
  @Column("uuid", { name: "original_order_id", nullable: true })
  originalOrderId!: string | null;

  @Column("integer", { name: "amount_rub" })
  amountRub!: number;

  /** The sum of its refunds that succeeded. */
  @Column("integer", { name: "refunded_rub", default: 0 })
  refundedRub!: number;

  /** Stays when the money has been matched. */
  @Column("text", { name: "unmatched_reason", nullable: true })
  unmatchedReason!: UnmatchedReason | null;

  /** The user whose balance got the money. */
  @Column("uuid", { name: "credited_to", nullable: true })
  creditedTo!: string | null;

  /** For cards only: the provider. */
  @Column("text", { nullable: true })
  provider!: string | null;

  /** The provider's id of the payment. */
  @Column("text", { name: "provider_reference", nullable: true })
  providerReference!: string | null;

  /** Where the customer pays. */
  @Column("text", { name: "checkout_url", nullable: true })
  checkoutUrl!: string | null;

  @Column("text", { nullable: true })
  failure!: string | null;

  @Column("uuid", { name: "created_by", nullable: true })
  createdBy!: string | null;

  @Column("timestamptz", { name: "paid_at", nullable: true })
  paidAt!: Date | null;

  @Column("timestamptz", { name: "refunded_at", nullable: true })
  refundedAt!: Date | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
