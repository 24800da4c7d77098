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

@Entity("categories")
export class Category {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("text")
  name!: string;

  /** Made from the name; legacy slugs are kept until the name changes. */
  @Column("text")
  slug!: string;

  /** A picture stored elsewhere; `image` wins over it. */
  @Column("text", { name: "image_url", nullable: true })
  imageUrl!: string | null;

  @Column("uuid", { name: "image_id", nullable: true })
  imageId!: string | null;

  @ManyToOne(() => Image)
  @JoinColumn({ name: "image_id" })
  image!: Relation<Image> | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
