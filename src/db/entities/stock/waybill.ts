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
import { User } from "../accounts/user.ts";
import { Order } from "../orders/order.ts";

export const waybillTypes = ["WAYBILL_IN", "WAYBILL_OUT", "WAYBILL_RETURN"] as const;
export type WaybillType = (typeof waybillTypes)[number];

/** Goods that arrive, leave or are returned; its commit changes stock and balance, once. */
@Entity("waybills")
export class Waybill {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "author_id" })
  authorId!: string;

  @ManyToOne(() => User)
  @JoinColumn({ name: "author_id" })
  author!: Relation<User>;

  @Column("uuid", { name: "customer_id" })
  customerId!: string;

  @ManyToOne(() => User)
  @JoinColumn({ name: "customer_id" })
  customer!: Relation<User>;

  @Column("uuid", { name: "order_id", nullable: true })
  orderId!: string | null;

  @ManyToOne(() => Order)
  @JoinColumn({ name: "order_id" })
  order!: Relation<Order> | null;

  /** The delivery whose goods come back. */
  @Column("uuid", { name: "return_of", nullable: true })
  returnOf!: string | null;

  @Column("text", { name: "waybill_type" })
  waybillType!: WaybillType;

  @Column("boolean", { name: "is_pending", default: true })
  isPending!: boolean;

  @Column("text", { nullable: true })
  note!: string | null;

  @Column("uuid", { name: "committed_by", nullable: true })
  committedBy!: string | null;

  @Column("timestamptz", { name: "committed_at", nullable: true })
  committedAt!: Date | null;

  /** Its number among the committed waybills of its type and year; null until the commit. */
  @Column("integer", { name: "paper_number", nullable: true })
  paperNumber!: number | null;

  /** The year of the commit in the shop's time zone. */
  @Column("integer", { name: "paper_year", nullable: true })
  paperYear!: number | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
