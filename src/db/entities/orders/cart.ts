import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from "typeorm";

export const cartStatuses = ["DRAFT", "ORDERED", "ABANDONED"] as const;
export type CartStatus = (typeof cartStatuses)[number];

/** The offers that a customer intends to order; each customer has at most one DRAFT. */
@Entity("carts")
export class Cart {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "user_id" })
  userId!: string;

  @Column("text", { default: "DRAFT" })
  status!: CartStatus;

  /** The order that it became. */
  @Column("uuid", { name: "order_id", nullable: true })
  orderId!: string | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
