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
import { SubCategory } from "./sub-category.ts";

@Entity("products")
export class Product {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  /** Id in the previous shop, whose addresses are still requested. */
  @Column("text", { name: "bitrix_id", nullable: true })
  bitrixId!: string | null;

  @Column("uuid", { name: "sub_category_id" })
  subCategoryId!: string;

  @ManyToOne(() => SubCategory)
  @JoinColumn({ name: "sub_category_id" })
  subCategory!: Relation<SubCategory>;

  @Column("text")
  name!: string;

  /** Made from the name; legacy slugs are kept until the name changes. */
  @Column("text")
  slug!: string;

  /** Numbers of the same part at other manufacturers; up to 12,000 characters. */
  @Column("text", { name: "cross_number", nullable: true })
  crossNumber!: string | null;

  /** A picture stored elsewhere; `image` wins over it. */
  @Column("text", { name: "image_url", nullable: true })
  imageUrl!: string | null;

  @Column("uuid", { name: "image_id", nullable: true })
  imageId!: string | null;

  @ManyToOne(() => Image)
  @JoinColumn({ name: "image_id" })
  image!: Relation<Image> | null;

  @Column("boolean", { name: "is_deleted", default: false })
  isDeleted!: boolean;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
