/** An id that examples use for an offer; the reference page puts one in its place that is there and in stock. */
export const exampleOfferId = "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9";

const line = { offer_id: exampleOfferId, quantity: 1 };
const person = { first_name: "Иван", last_name: "Петров" };
const contact = { ...person, email: "buyer@example.com", phone: "+7 978 042-46-66" };
const nowhere = { address: null, country: null, city: null, shipping_company: null };

/** Bodies that can be sent as they stand, by route; people try the reference page with them. */
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
  "POST /documents": { kind: "price-list", format: "xlsx", parameters: { type: "retail" } },
};
