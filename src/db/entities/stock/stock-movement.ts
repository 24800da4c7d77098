import {
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import { User } from "../accounts/user.ts";
import { Offer } from "../catalogue/offer.ts";
import { Waybill, type WaybillType } from "./waybill.ts";

/** The change of an offer's stock by one line of a committed waybill; immutable. */
@Entity("stock_movements")
export class StockMovement {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "offer_id" })
  offerId!: string;

  @ManyToOne(() => Offer)
  @JoinColumn({ name: "offer_id" })
  offer!: Relation<Offer>;

  @Column("uuid", { name: "waybill_id" })
  waybillId!: string;

  @ManyToOne(() => Waybill)
  @JoinColumn({ name: "waybill_id" })
  waybill!: Relation<Waybill>;

  @Column("uuid", { name: "waybill_offer_id" })
  waybillOfferId!: string;

  @Column("text", { name: "waybill_type" })
  waybillType!: WaybillType;

  /** Signed: negative for goods that went out. */
  @Column("integer")
  delta!: number;

  @Column("integer", { name: "quantity_before" })
  quantityBefore!: number;

  @Column("integer", { name: "quantity_after" })
  quantityAfter!: number;

  /** Who committed the waybill. */
  @Column("uuid", { name: "user_id" })
  userId!: string;

  @ManyToOne(() => User)
  @JoinColumn({ name: "user_id" })
  user!: Relation<User>;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;
}
