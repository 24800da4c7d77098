import { z } from "zod";
import { customerTypes, languages, roles, shippingMethods, type User } from "../../db/entities/accounts/user.ts";
import { timestamp } from "../http/fields.ts";
import type { Profile } from "../http/types.ts";

export const UserView = z
  .object({
    id: z.uuid(),
    clerk_id: z.string().meta({ description: "Empty when there is none" }),
    email: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    is_active: z.boolean(),
    role: z.enum(roles),
    customer_type: z.enum(customerTypes),
    balance_rub: z.int(),
    balance_usd: z.int(),
    balance_eur: z.int(),
    balance_try: z.int(),
    mailing: z.boolean(),
    language: z.enum(languages),
    phone: z.string().nullable(),
    city: z.string().nullable(),
    note: z.string().nullable(),
    shipping_method: z.enum(shippingMethods).nullable().meta({ description: "The storefront never gets OTHER" }),
    shipping_company: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "User" });

/** A user; the storefront knows no shipping method OTHER (contract 1.16). */
export function userView(user: User, profile: Profile): z.output<typeof UserView> {
  return {
    id: user.id,
    clerk_id: user.clerkId ?? "",
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    is_active: user.isActive,
    role: user.role,
    customer_type: user.customerType,
    balance_rub: user.balanceRub,
    balance_usd: user.balanceUsd,
    balance_eur: user.balanceEur,
    balance_try: user.balanceTry,
    mailing: user.mailing,
    language: user.language,
    phone: user.phone,
    city: user.city,
    note: user.note,
    shipping_method: profile === "shop" && user.shippingMethod === "OTHER" ? null : user.shippingMethod,
    shipping_company: user.shippingCompany,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}
