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
import { Cart } from "./cart.ts";

@Entity("cart_offers")
export class CartOffer {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "cart_id" })
  cartId!: string;

  @ManyToOne(() => Cart)
  @JoinColumn({ name: "cart_id" })
  cart!: Relation<Cart>;

  @Column("uuid", { name: "offer_id" })
  offerId!: string;

  @ManyToOne(() => Offer)
  @JoinColumn({ name: "offer_id" })
  offer!: Relation<Offer>;

  @Column("integer")
  quantity!: number;

  /** The price that the customer has seen last, to announce a change. */
  @Column("integer", { name: "seen_price_rub" })
  seenPriceRub!: number;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
