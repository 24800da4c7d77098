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
import { Image } from "./image.ts";
import { Product } from "./product.ts";

/** A part of one brand for a product, with its price and stock. */
@Entity("offers")
export class Offer {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "product_id" })
  productId!: string;

  @ManyToOne(() => Product)
  @JoinColumn({ name: "product_id" })
  product!: Relation<Product>;

  @Column("text", { name: "offer_bitrix_id", nullable: true })
  offerBitrixId!: string | null;

  /** Shelf address or stock code. */
  @Column("text", { nullable: true })
  sku!: string | null;

  @Column("text")
  brand!: string;

  @Column("text", { name: "manufacturer_number" })
  manufacturerNumber!: string;

  @Column("text", { name: "internal_description", nullable: true })
  internalDescription!: string | null;

  /** A picture stored elsewhere; `image` wins over it. */
  @Column("text", { name: "image_url", nullable: true })
  imageUrl!: string | null;

  @Column("uuid", { name: "image_id", nullable: true })
  imageId!: string | null;

  @ManyToOne(() => Image)
  @JoinColumn({ name: "image_id" })
  image!: Relation<Image> | null;

  /** Retail price, whole roubles. */
  @Column("integer", { name: "price_rub" })
  priceRub!: number;

  @Column("integer", { name: "super_wholesale_price_rub" })
  superWholesalePriceRub!: number;

  /** Changed only by the commit of a waybill. */
  @Column("integer", { default: 0 })
  quantity!: number;

  @Column("boolean", { name: "is_deleted", default: false })
  isDeleted!: boolean;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
