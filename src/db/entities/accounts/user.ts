import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from "typeorm";
import { bigint } from "../bigint.ts";

/** In rising order of rights. */
export const roles = ["USER", "EMPLOYEE", "ADMIN"] as const;
export type Role = (typeof roles)[number];

export const customerTypes = ["USER_RETAIL", "USER_WHOLESALE", "USER_SUPER_WHOLESALE"] as const;
export type CustomerType = (typeof customerTypes)[number];

export const shippingMethods = ["SELF_PICKUP", "CARGO", "OTHER"] as const;
export type ShippingMethod = (typeof shippingMethods)[number];

/** Languages of mails. */
export const languages = ["ru", "en"] as const;
export type Language = (typeof languages)[number];

@Entity("users")
export class User {
  /** The subject of the identity provider's tokens. */
  @PrimaryColumn("uuid")
  id!: string;

  /** Subject of the second identity provider's tokens. */
  @Column("text", { name: "clerk_id", nullable: true })
  clerkId!: string | null;

  @Column("text")
  email!: string;

  /** Whether the identity provider has verified the e-mail; null: unknown. An e-mail with false identifies no user. */
  @Column("boolean", { name: "email_verified", nullable: true })
  emailVerified!: boolean | null;

  @Column("text", { name: "first_name" })
  firstName!: string;

  @Column("text", { name: "last_name" })
  lastName!: string;

  @Column("boolean", { name: "is_active", default: true })
  isActive!: boolean;

  @Column("text", { default: "USER" })
  role!: Role;

  @Column("text", { name: "customer_type", default: "USER_RETAIL" })
  customerType!: CustomerType;

  /** Whole units; changed only together with a row of history. */
  @Column("bigint", { name: "balance_rub", default: 0, transformer: bigint })
  balanceRub!: number;

  @Column("bigint", { name: "balance_usd", default: 0, transformer: bigint })
  balanceUsd!: number;

  @Column("bigint", { name: "balance_eur", default: 0, transformer: bigint })
  balanceEur!: number;

  @Column("bigint", { name: "balance_try", default: 0, transformer: bigint })
  balanceTry!: number;

  @Column("text", { default: "ru" })
  language!: Language;

  @Column("boolean", { default: false })
  mailing!: boolean;

  @Column("text", { nullable: true })
  phone!: string | null;

  @Column("text", { nullable: true })
  city!: string | null;

  @Column("text", { nullable: true })
  note!: string | null;

  @Column("text", { name: "shipping_method", nullable: true })
  shippingMethod!: ShippingMethod | null;

  @Column("text", { name: "shipping_company", nullable: true })
  shippingCompany!: string | null;

  /** When the user's data last changed at the identity provider; null when it never told. */
  @Column("timestamptz", { name: "identity_updated_at", nullable: true })
  identityUpdatedAt!: Date | null;

  /** When the owner's data were erased, except what book-keeping needs; the account cannot be used since then. */
  @Column("timestamptz", { name: "erased_at", nullable: true })
  erasedAt!: Date | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
