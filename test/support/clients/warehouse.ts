import { z } from "zod";
import { array, one, page, status, unchecked } from "./client-call.ts";

// As strict as the warehouse (zod 3): an id is any 8-4-4-4-12 hexadecimal digits, a moment ends in `Z`.
const id = z.guid();
const moment = z.iso.datetime();
const text = z.string();
const filled = z.string().min(1);
const imageUrl = z.url();
const price = z.number().nonnegative();
const times = { created_at: moment, updated_at: moment };
const ShippingMethod = z.enum(["SELF_PICKUP", "CARGO", "OTHER"]);

const Category = z.object({ id, name: text, slug: text, image_url: imageUrl });

const SubCategory = z.object({ id, name: text, slug: text, image_url: imageUrl, category_id: id, category: Category });

const Product = z.object({
  id,
  name: text,
  sub_category_id: id,
  slug: text.nullable(),
  image_url: imageUrl,
  sub_category: SubCategory,
  cross_number: text.nullish(),
  bitrix_id: text.nullish(),
});

const Offer = z.object({
  id,
  address_id: text.nullable(),
  offer_bitrix_id: text.nullish(),
  brand: filled,
  internal_description: text.nullable(),
  manufacturer_number: filled,
  price_rub: price,
  super_wholesale_price_rub: price,
  wholesale_price_rub: price,
  product_id: id,
  quantity: z.int(),
  product: Product,
});

const User = z.object({
  id,
  clerk_id: text,
  first_name: text,
  last_name: text,
  email: z.email(),
  is_active: z.boolean(),
  balance_rub: z.int(),
  role: z.enum(["ADMIN", "EMPLOYEE", "USER"]),
  customer_type: z.enum(["USER_RETAIL", "USER_WHOLESALE", "USER_SUPER_WHOLESALE"]),
  mailing: z.boolean(),
  phone: text.nullable(),
  city: text.nullable(),
  note: text.nullable(),
  shipping_method: ShippingMethod.nullable(),
  shipping_company: text.nullable(),
});

const Address = z.object({
  id,
  user_id: id,
  first_name: filled,
  last_name: filled,
  phone: filled,
  city: filled,
  street: filled,
  postal_code: filled,
  shipping_method: ShippingMethod.nullable(),
  shipping_company: text.nullable(),
  is_default: z.boolean(),
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

const line = {
  id,
  offer_id: id,
  brand: filled,
  manufacturer_number: filled,
  quantity: z.int().positive(),
  price_rub: price,
  offer: Offer,
};
const OrderOffer = z.object({ ...line, order_id: id });
const WaybillOffer = z.object({ ...line, waybill_id: id });

const Order = z.object({
  id,
  address_id: id,
  status: z.enum(["NEW", "IN_PROGRESS", "SHIPPING", "COMPLETED", "CANCELED"]),
  note: text.nullable(),
  user: User,
  address: Address,
  waybill: Waybill.nullable(),
  order_offers: z.array(OrderOffer),
  total_sum: z.int().nonnegative(),
  ...times,
});

const AuditEntry = z.object({
  id,
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  endpoint: z.url(),
  payload: z.record(z.string(), z.unknown()).nullable(),
  user: User,
  ...times,
});

const BestSelling = z.object({
  name: text,
  image_url: imageUrl,
  sold: z.number().positive(),
  revenue: z.number().positive(),
});

const Count = z.object({ count: z.number().nonnegative() });

/** What the warehouse parses answers with (contract 3.1). */
export const warehouseSchemas = {
  ...{ Category, SubCategory, Product, Offer, User, Address, Waybill, OrderOffer, WaybillOffer, Order },
  ...{ AuditEntry, BestSelling, Count },
};

/** Where the warehouse finds this API; its calls stand below (contract 1.16). */
export const warehouseBase = "/warehouse";

/** Every call of the warehouse (contract 4.2), below `warehouseBase`; some numbers stand for several. */
export const warehouseCalls = {
  W1: array("/categories?order_by=name", Category),
  "W2.slug": one("GET", "/categories/slug/{slug}", Category),
  "W2.id": one("GET", "/categories/{category_id}", Category),
  W3: one("POST", "/categories", Category),
  W4: one("PATCH", "/categories/{category_id}", Category),
  W5: status("DELETE", "/categories/{category_id}"),
  W6: array("/sub-categories?category_id={category_id}&order_by=name", SubCategory),
  W7: one("GET", "/sub-categories/slug/{slug}", SubCategory),
  "W8.create": one("POST", "/sub-categories", SubCategory),
  "W8.change": status("PATCH", "/sub-categories/{sub_category_id}"),
  "W8.delete": status("DELETE", "/sub-categories/{sub_category_id}"),
  W9: page("/products?sub_category_id={sub_category_id}", Product),
  W10: one("GET", "/products/{product_id}", Product),
  "W11.create": one("POST", "/products", Product),
  "W11.change": status("PATCH", "/products/{product_id}"),
  "W11.delete": status("DELETE", "/products/{product_id}"),
  "W12.list": page("/offers?product_id={product_id}", Offer),
  "W12.id": one("GET", "/offers/{offer_id}", Offer),
  "W13.all": one("GET", "/offers/meta/count", Count),
  "W13.in-stock": one("GET", "/offers/meta/count?in_stock=true", Count),
  "W13.with-image": one("GET", "/offers/meta/count?is_image=true", Count),
  W14: page("/offers/search/text_search?search_term={term}&size={size}&page={page}", Offer),
  W15: page("/offers/search/wildcard?search_term={term}", Offer),
  W16: one("POST", "/offers", Offer),
  W17: one("PATCH", "/offers/{offer_id}", Offer),
  W18: status("DELETE", "/offers/{offer_id}"),
  "W19.all": page("/orders?", Order),
  "W19.filtered": page("/orders?user_id={user_id}&status={status}", Order),
  W20: one("GET", "/orders/{order_id}", Order),
  W21: one("GET", "/orders/meta/count", Count),
  W22: unchecked("GET", "/orders/{order_id}/offers"),
  W23: one("POST", "/orders", Order),
  W24: one("POST", "/orders/{order_id}/convert", Waybill),
  W25: one("PATCH", "/orders/{order_id}", Order),
  W26: status("DELETE", "/orders/{order_id}"),
  W27: one("POST", "/orders/{order_id}/offers", OrderOffer),
  "W28.change": one("PATCH", "/order-offers/{order_offer_id}", OrderOffer),
  "W28.delete": status("DELETE", "/order-offers/{order_offer_id}"),
  "W29.all": page("/users?", User),
  "W29.filtered": page("/users?role={role}&customer_type={customer_type}&search_term={term}", User),
  "W30.id": one("GET", "/users/{user_id}", User),
  "W30.clerk": one("GET", "/users/clerk/{clerk_id}", User),
  "W30.count": one("GET", "/users/meta/count", Count),
  W31: one("PATCH", "/users/{user_id}", User),
  "W32.all": page("/waybills?search_term={term}&size={size}&page={page}", Waybill),
  "W32.filtered": page(
    "/waybills?search_term={term}&size={size}&page={page}&waybill_type={waybill_type}&is_pending=true",
    Waybill,
  ),
  "W33.id": one("GET", "/waybills/{waybill_id}", Waybill),
  "W33.count": one("GET", "/waybills/meta/count", Count),
  "W33.offers": unchecked("GET", "/waybills/{waybill_id}/offers"),
  W34: one("POST", "/waybills", Waybill),
  W35: one("PATCH", "/waybills/{waybill_id}", Waybill),
  "W36.delete": status("DELETE", "/waybills/{waybill_id}"),
  "W36.commit": one("POST", "/waybills/{waybill_id}/commit", Waybill),
  "W37.add": one("POST", "/waybills/{waybill_id}/offers", WaybillOffer),
  "W37.change": one("PATCH", "/waybill-offers/{waybill_offer_id}", WaybillOffer),
  "W37.delete": status("DELETE", "/waybill-offers/{waybill_offer_id}"),
  W38: array("/analytics/products/best-selling", BestSelling),
  W39: page("/audit-log", AuditEntry),
};
