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
import { Waybill } from "./waybill.ts";

/** One line of a waybill. */
@Entity("waybill_offers")
export class WaybillOffer {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "waybill_id" })
  waybillId!: string;

  @ManyToOne(() => Waybill)
  @JoinColumn({ name: "waybill_id" })
  waybill!: Relation<Waybill>;

  @Column("uuid", { name: "offer_id" })
  offerId!: string;

  @ManyToOne(() => Offer)
  @JoinColumn({ name: "offer_id" })
  offer!: Relation<Offer>;

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
