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
import { type ShippingMethod, User } from "./user.ts";

/** A delivery address of a customer; of several exactly one is the default. */
@Entity("addresses")
export class Address {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "user_id" })
  userId!: string;

  @ManyToOne(() => User)
  @JoinColumn({ name: "user_id" })
  user!: Relation<User>;

  @Column("text", { name: "first_name" })
  firstName!: string;

  @Column("text", { name: "last_name" })
  lastName!: string;

  @Column("text", { nullable: true })
  phone!: string | null;

  @Column("text")
  city!: string;

  @Column("text")
  street!: string;

  @Column("text", { name: "postal_code" })
  postalCode!: string;

  @Column("text", { name: "shipping_method", default: "OTHER" })
  shippingMethod!: ShippingMethod;

  @Column("text", { name: "shipping_company", nullable: true })
  shippingCompany!: string | null;

  @Column("boolean", { name: "is_default" })
  isDefault!: boolean;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
