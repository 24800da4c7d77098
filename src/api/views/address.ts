import { z } from "zod";
import type { Address } from "../../db/entities/accounts/address.ts";
import { shippingMethods } from "../../db/entities/accounts/user.ts";
import { timestamp } from "../http/fields.ts";
import type { Profile } from "../http/types.ts";

export const AddressView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    first_name: z.string(),
    last_name: z.string(),
    phone: z.string().nullable(),
    city: z.string(),
    street: z.string(),
    postal_code: z.string(),
    shipping_method: z.enum(shippingMethods).nullable().meta({ description: "The storefront never gets OTHER" }),
    shipping_company: z.string().nullable(),
    is_default: z.boolean().meta({ description: "True for exactly one address of a user" }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Address" });

/** An address; the storefront knows no shipping method OTHER (contract 1.16). */
export function addressView(address: Address, profile: Profile): z.output<typeof AddressView> {
  return {
    id: address.id,
    user_id: address.userId,
    first_name: address.firstName,
    last_name: address.lastName,
    phone: address.phone,
    city: address.city,
    street: address.street,
    postal_code: address.postalCode,
    shipping_method: profile === "shop" && address.shippingMethod === "OTHER" ? null : address.shippingMethod,
    shipping_company: address.shippingCompany,
    is_default: address.isDefault,
    created_at: address.createdAt.toISOString(),
    updated_at: address.updatedAt.toISOString(),
  };
}
