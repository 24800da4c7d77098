import { z } from "zod";
import { one, page, unchecked } from "./client-call.ts";

// As strict as the storefront (zod 4): versions and variants of ids, `Z` at the end of a moment, absolute addresses.
const id = z.uuid();
const moment = z.iso.datetime();
const text = z.string();
const filled = z.string().min(1);
const imageUrl = z.url();
const price = z.number().nonnegative();
const times = { created_at: moment, updated_at: moment };

const Category = z.object({ id, name: filled, slug: text, image_url: imageUrl, ...times });

const SubCategory = z.object({
  id,
  name: text,
  category_id: id,
  slug: text,
  image_url: imageUrl,
  category: Category,
  ...times,
});

const Product = z.object({
  id,
  name: text,
  cross_number: text.nullable(),
  sub_category_id: id,
  slug: text,
  image_url: imageUrl,
  total_quantity: z.number(),
  min_price_rub: z.number().nullable(),
  sub_category: SubCategory,
  ...times,
});

const Offer = z.object({
  id,
  sku: text.nullable(),
  offer_bitrix_id: text.nullish(),
  brand: filled,
  internal_description: text.nullable(),
  manufacturer_number: filled,
  price_rub: price,
  super_wholesale_price_rub: price,
  wholesale_price_rub: price,
  product_id: id,
  image_url: imageUrl,
  quantity: z.int(),
  product: Product,
});

const User = z.object({
  id,
  first_name: text,
  last_name: text,
  email: z.email(),
  is_active: z.boolean(),
  balance_rub: z.int(),
  balance_usd: z.int(),
  balance_eur: z.int(),
  balance_try: z.int(),
  role: z.enum(["ADMIN", "EMPLOYEE", "USER"]),
  customer_type: z.enum(["USER_RETAIL", "USER_WHOLESALE", "USER_SUPER_WHOLESALE"]),
  mailing: z.boolean(),
  phone: text.nullable(),
  city: text.nullable(),
  note: text.nullable(),
  shipping_method: z.enum(["SELF_PICKUP", "CARGO"]).nullable(),
  shipping_company: text.nullable(),
});

const Waybill = z.object({
  id,
  customer_id: id.nullable(),
  waybill_type: z.enum(["WAYBILL_IN", "WAYBILL_OUT", "WAYBILL_RETURN"]),
  is_pending: z.boolean(),
  note: text.nullable(),
  order_id: id.nullable(),
  author: User,
  customer: User,
  ...times,
});

const OrderOffer = z.object({
  id,
  order_id: id,
  offer_id: id,
  brand: filled,
  manufacturer_number: filled,
  quantity: z.int().positive(),
  price_rub: price,
  offer: Offer,
});

const Order = z.object({
  id,
  status: z.enum(["NEW", "IN_PROGRESS", "SHIPPING", "COMPLETED", "CANCELED"]),
  note: text.nullable(),
  address: text.nullable(),
  country: z.enum(["ARM", "BLR", "KAZ", "RUS"]).nullable(),
  city: text.nullable(),
  shipping_method: z.enum(["SELF_PICKUP", "CARGO"]),
  shipping_company: z.enum(["CDEK", "KIT"]).nullable(),
  first_name: text,
  last_name: text,
  email: text,
  phone: text,
  user: User.nullable(),
  waybill: Waybill.nullable(),
  order_offers: z.array(OrderOffer),
  total_sum: z.int().nonnegative(),
  ...times,
});

const Count = z.object({ count: z.number().nonnegative() });

/** What the storefront parses answers with (contract 3.1). */
export const storefrontSchemas = { Category, SubCategory, Product, Offer, User, Waybill, OrderOffer, Order, Count };

/** Every call of the storefront (contract 4.1), below the base `/`; S20 has several. */
export const storefrontCalls = {
  S1: page("/categories", Category),
  S2: one("GET", "/categories/slug/{slug}", Category),
  S3: one("GET", "/categories/{category_id}", Category),
  S4: page("/sub-categories", SubCategory),
  S5: page("/sub-categories?category_id={category_id}&order_by=name", SubCategory),
  S6: one("GET", "/sub-categories/slug/{slug}", SubCategory),
  S7: page("/products?size=10000", Product),
  S8: page("/products?sub_category_slug={slug}", Product),
  S9: one("GET", "/products/slug/{slug}", Product),
  S10: one("GET", "/products/bitrix/{bitrix_id}", Product),
  S11: unchecked("GET", "/products/meta/facets/categories"),
  S12: unchecked("GET", "/products/meta/facets/sub-categories?category_id={category_id}"),
  S13: page("/offers?product_slug={slug}", Offer),
  S14: page("/offers/by-ids", Offer, "POST"),
  S15: one("POST", "/orders", Order),
  S16: one("GET", "/orders/{order_id}", Order),
  S17: page("/orders?user_id={user_id}", Order),
  S18: one("GET", "/users/{user_id}", User),
  S19: unchecked("POST", "/webhooks/better-auth"),
  "S20.product": one("GET", "/products/{product_id}", Product),
  "S20.products": page("/products?sub_category_id={sub_category_id}", Product),
  "S20.products-count": one(
    "GET",
    "/products/meta/count?sub_category_id={sub_category_id}&is_deleted={is_deleted}",
    Count,
  ),
  "S20.offers": page("/offers?product_id={product_id}", Offer),
  "S20.offers-count": one("GET", "/offers/meta/count", Count),
  "S20.text-search": page("/offers/search/text_search?search_term={term}&size={size}&page={page}", Offer),
  "S20.wildcard": page("/offers/search/wildcard?search_term={term}", Offer),
  "S20.orders-count": one("GET", "/orders/meta/count", Count),
  "S20.change-order": one("PATCH", "/orders/{order_id}", Order),
};
