/**
 * Ids that examples use for an offer and its product; the reference page replaces them with existing ones in stock.
 */
export const exampleOfferId = "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9";
export const exampleProductId = "9f4b2a10-1c2d-4e3f-8a5b-6c7d8e9f0a13";
/** The order that unmatched money pays. */
const exampleOrderId = "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071";

const line = { offer_id: exampleOfferId, quantity: 1 };
const person = { first_name: "Иван", last_name: "Петров" };
const contact = { ...person, email: "buyer@example.com", phone: "+7 978 042-46-66" };
const nowhere = { address: null, country: null, city: null, shipping_company: null };

/**
 * Bodies that can be sent as they are, by route; people try the reference page with them. Where there is none, the page
 * invents one from the patterns of texts. In a form each field is an example by itself.
 */
export const examples: Readonly<Record<string, unknown>> = {
  "POST /orders": {
    status: "NEW",
    ...contact,
    shipping_method: "SELF_PICKUP",
    ...nowhere,
    note: null,
    order_offers: [line],
  },
  "POST /offers/by-ids": [exampleOfferId],
  "POST /cart/offers": line,
  "PATCH /cart/offers/{offer_id}": { quantity: 2 },
  "POST /cart/merge": { offers: [line] },
  "POST /cart/checkout": { ...contact, shipping_method: "SELF_PICKUP", note: null },
  "POST /addresses": {
    ...person,
    phone: "+7 978 042-46-66",
    city: "Севастополь",
    street: "ул. Хрусталёва, 74Ж",
    postal_code: "299011",
    shipping_method: "CARGO",
    shipping_company: "CDEK",
  },
  "POST /waybills": {
    waybill_type: "WAYBILL_IN",
    is_pending: true,
    customer_id: null,
    note: "Приход",
    waybill_offers: [line],
  },
  "POST /jobs/replays": { filter: { state: "failed", kind: "render-document" }, limit_per_minute: 600, dry_run: true },
  "POST /webhook-endpoints": {
    url: "https://example.com/events",
    description: "CRM",
    event_types: ["order.created", "order.status_changed"],
  },
  "POST /mail/verifications": {
    recipient: "buyer@example.com",
    first_name: "Анна",
    url: "https://ford-parts.com.ru/verify?token=example",
  },
  "POST /mail/newsletters": { customer_types: ["USER_WHOLESALE"] },
  "POST /mail/suppressions": { address: "buyer@example.com", detail: "Asked by phone" },
  "PATCH /addresses/{address_id}": { city: "Ялта" },
  "POST /balance/adjust/{user_id}": { delta: 500, reason: "PROMOTION_CREDIT", currency: "RUB" },
  "POST /categories": { name: "Багажники и рейлинги" },
  "PATCH /categories/{category_id}": { name: "Багажники" },
  "POST /sub-categories": { name: "Рейлинги на крышу" },
  "PATCH /sub-categories/{sub_category_id}": { name: "Рейлинги и дуги" },
  "POST /products": { name: "Рейлинг продольный левый", cross_number: "1234567, 7654321" },
  "PATCH /products/{product_id}": { name: "Рейлинг продольный правый", cross_number: "1234567" },
  "POST /offers": {
    product_id: exampleProductId,
    brand: "ACME",
    manufacturer_number: "AC-100",
    price_rub: 1_500,
    super_wholesale_price_rub: 1_200,
    sku: "A-01-02",
  },
  "PATCH /offers/{offer_id}": { price_rub: 1_600, super_wholesale_price_rub: 1_250 },
  "PATCH /orders/{order_id}": { status: "IN_PROGRESS" },
  "POST /orders/{order_id}/offers": line,
  "PATCH /order-offers/{order_offer_id}": { quantity: 2 },
  "POST /orders/{order_id}/payments": { method: "CASH" },
  "POST /payments/{payment_id}/refund": { amount_rub: 700, reason: "One pad came back" },
  "POST /payments/{payment_id}/assign": { order_id: exampleOrderId },
  "PATCH /users/{user_id}": { city: "Ялта", customer_type: "USER_WHOLESALE" },
  "PATCH /waybills/{waybill_id}": { note: "Проверено" },
  "POST /waybills/{waybill_id}/offers": line,
  "PATCH /waybill-offers/{waybill_offer_id}": { quantity: 2 },
  "POST /jobs/{job_id}/cancel": { reason: "Ordered by mistake" },
  "POST /jobs/{job_id}/retry": { reason: "The mail server is back" },
  "PUT /queues/{queue}/pause": { reason: "The mail server is being moved" },
  "POST /mail/{mail_id}/resend": { reason: "The customer asked for it" },
  "PATCH /webhook-endpoints/{webhook_endpoint_id}": { is_active: false },
  "POST /documents": { kind: "price-list", format: "xlsx", parameters: { type: "retail" } },
  // The last ones: a client that sends all examples in this order needs the user before.
  "POST /users/{user_id}/erasure": { reason: "Requested in writing" },
  "POST /erasures": { email: "buyer@example.com", reason: "Requested in writing" },
};
