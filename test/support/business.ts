import type { DataSource } from "typeorm";
import { userIds } from "./api.ts";

/** Ids and names of what `addBusiness` enters, by the names that routes give their parameters. */
export const known = {
  category_id: "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81",
  category_slug: "tormoza",
  sub_category_id: "0d3f1c52-8a4b-4d1e-8f77-5b9c2a1e4d02",
  sub_category_slug: "kolodki",
  product_id: "9f4b2a10-1c2d-4e3f-8a5b-6c7d8e9f0a13",
  product_slug: "kolodka-peredniaia",
  bitrix_id: "F14-1",
  offer_id: "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9",
  address_id: "356f1d6f-0514-4e40-aad5-d59b91674320",
  order_id: "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071",
  order_offer_id: "3a4b5c6d-7e8f-4901-8a2b-3c4d5e6f7082",
  waybill_id: "4b5c6d7e-8f90-4a12-9b3c-4d5e6f708193",
  waybill_offer_id: "5c6d7e8f-9012-4b34-8c56-6e7f80912a34",
  cart_id: "6d7e8f90-1a2b-4c45-9d67-7f8091a2b345",
  payment_id: "7e8f901a-2b3c-4d56-8e78-8091a2b3c456",
  job_id: "8f901a2b-3c4d-4e67-9f89-91a2b3c4d567",
  webhook_endpoint_id: "901a2b3c-4d5e-4f78-8a9a-a2b3c4d5e678",
  user_id: userIds.user,
  customer_id: userIds.user,
  clerk_id: "user_2abc",
} as const;

/**
 * Enters one of everything that the shop deals in: catalogue, and an order, a waybill, an address, a cart, a payment and
 * a job of the customer `userIds.user`; and an endpoint of webhooks.
 */
export async function addBusiness(db: DataSource) {
  const insert = (table: string, row: Record<string, unknown>) => {
    const columns = Object.keys(row);
    const places = columns.map((_, n) => `$${n + 1}`).join(", ");
    return db.query(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`, Object.values(row));
  };
  const { category_id, sub_category_id, product_id, offer_id, address_id, order_id, waybill_id, user_id } = known;
  const line = { offer_id, brand: "ACME", manufacturer_number: "AC-100", quantity: 2, price_rub: 1_350 };
  const person = { first_name: "Иван", last_name: "Петров", phone: "+79780000000", city: "Севастополь" };
  const shipping = { shipping_method: "CARGO", shipping_company: "CDEK" };

  await db.query("UPDATE users SET clerk_id = $1 WHERE id = $2", [known.clerk_id, user_id]);
  await insert("categories", { id: category_id, name: "Тормоза", slug: known.category_slug });
  await insert("sub_categories", { id: sub_category_id, category_id, name: "Колодки", slug: known.sub_category_slug });
  await insert("products", {
    ...{ id: product_id, sub_category_id, name: "Колодка передняя", slug: known.product_slug },
    ...{ bitrix_id: known.bitrix_id, cross_number: "1234567, 7654321" },
  });
  await insert("offers", {
    ...{ id: offer_id, product_id, brand: line.brand, manufacturer_number: line.manufacturer_number, sku: "A-01-02" },
    ...{ price_rub: 1_500, super_wholesale_price_rub: 1_200, quantity: 1_000 },
  });
  await insert("addresses", {
    ...{ id: address_id, user_id, ...person, ...shipping, street: "ул. Хрусталёва, 74Ж", postal_code: "299000" },
    is_default: true,
  });
  await insert("orders", { id: order_id, user_id, address_id, ...person, ...shipping, email: "user@test.example" });
  await insert("order_offers", { id: known.order_offer_id, order_id, position: 1, ...line });
  const author_id = userIds.employee;
  await insert("waybills", { id: waybill_id, author_id, customer_id: user_id, order_id, waybill_type: "WAYBILL_OUT" });
  await insert("waybill_offers", { id: known.waybill_offer_id, waybill_id, ...line });
  await insert("carts", { id: known.cart_id, user_id });
  await insert("cart_offers", { cart_id: known.cart_id, offer_id, quantity: 1, seen_price_rub: 1_500 });
  await insert("payments", { id: known.payment_id, order_id, method: "CASH", state: "pending", amount_rub: 2_700 });
  await insert("job", {
    ...{ id: known.job_id, queue: "images", kind: "process-image", payload: {}, payload_v: 1, priority: 1 },
    ...{ max_failures: 5, actor_id: user_id, run_at: "2999-01-01T00:00:00Z" },
  });
  await insert("webhook_endpoints", {
    ...{ id: known.webhook_endpoint_id, url: "https://receiver.example/events", event_types: ["order.created"] },
    secret: "whsec_c2VlZGVkLXdlYmhvb2stc2VjcmV0LTAxMjM0NTY3ODk=",
  });
}
