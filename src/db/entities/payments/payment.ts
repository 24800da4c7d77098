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

export const paymentStates = ["pending", "authorized", "paid", "failed", "refunded"] as const;
export type PaymentState = (typeof paymentStates)[number];

/** Money for one order. Card numbers are never stored here: the provider has them. */
@Entity("payments")
export class Payment {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "order_id" })
  orderId!: string;

  @ManyToOne(() => Order)
  @JoinColumn({ name: "order_id" })
  order!: Relation<Order>;

  @Column("text")
  method!: PaymentMethod;

  @Column("text")
  state!: PaymentState;

  @Column("integer", { name: "amount_rub" })
  amountRub!: number;

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
