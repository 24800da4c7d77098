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
import { Address } from "../accounts/address.ts";
import { type ShippingMethod, User } from "../accounts/user.ts";

export const orderStatuses = ["NEW", "IN_PROGRESS", "SHIPPING", "COMPLETED", "CANCELED"] as const;
export type OrderStatus = (typeof orderStatuses)[number];

@Entity("orders")
export class Order {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "user_id", nullable: true })
  userId!: string | null;

  @ManyToOne(() => User)
  @JoinColumn({ name: "user_id" })
  user!: Relation<User> | null;

  @Column("uuid", { name: "address_id", nullable: true })
  addressId!: string | null;

  @ManyToOne(() => Address)
  @JoinColumn({ name: "address_id" })
  storedAddress!: Relation<Address> | null;

  @Column("text", { default: "NEW" })
  status!: OrderStatus;

  @Column("text", { nullable: true })
  note!: string | null;

  @Column("text", { nullable: true })
  country!: string | null;

  @Column("text", { nullable: true })
  city!: string | null;

  /** Free text, as the storefront sends it. */
  @Column("text", { nullable: true })
  address!: string | null;

  @Column("text", { nullable: true })
  street!: string | null;

  @Column("text", { nullable: true })
  house!: string | null;

  @Column("text", { name: "postal_code", nullable: true })
  postalCode!: string | null;

  @Column("text", { name: "shipping_method" })
  shippingMethod!: ShippingMethod;

  @Column("text", { name: "shipping_company", nullable: true })
  shippingCompany!: string | null;

  /** The contact at the time of the order; guests have no account. */
  @Column("text", { name: "first_name" })
  firstName!: string;

  @Column("text", { name: "last_name" })
  lastName!: string;

  @Column("text")
  email!: string;

  @Column("text")
  phone!: string;

  /** It was made without a login: its address may belong to another person. */
  @Column("boolean", { name: "by_guest", default: false })
  byGuest!: boolean;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
