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
import { Offer } from "../catalogue/offer.ts";
import { Order } from "./order.ts";

/** One line of an order: brand, number and price at its creation. */
@Entity("order_offers")
export class OrderOffer {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "order_id" })
  orderId!: string;

  @ManyToOne(() => Order)
  @JoinColumn({ name: "order_id" })
  order!: Relation<Order>;

  @Column("uuid", { name: "offer_id" })
  offerId!: string;

  @ManyToOne(() => Offer)
  @JoinColumn({ name: "offer_id" })
  offer!: Relation<Offer>;

  @Column("integer")
  position!: number;

  @Column("text")
  brand!: string;

  @Column("text", { name: "manufacturer_number" })
  manufacturerNumber!: string;

  @Column("integer")
  quantity!: number;

  @Column("integer", { name: "price_rub" })
  priceRub!: number;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
