/** Who sends a request of the access test. */
export const callers = [
  ...["anonymous", "user", "other", "employee", "admin", "inactive", "expired"],
  ...["api-key", "wrong-key", "provider", "wrong-provider", "printer"],
] as const satisfies string[];
export type Caller = "anonymous" | "user" | "other" | "employee" | "admin" | "inactive" | "expired" | Program;
type Program = "api-key" | "wrong-key" | "provider" | "wrong-provider" | "printer";

/** Names for those who may do the same. */
export const admissions = {
  everybody: callers,
  /** A token is not needed, but one that is sent has to be good. */
  "everybody but bad tokens": callers.filter((caller) => caller !== "inactive" && caller !== "expired"),
  users: ["user", "other", "employee", "admin"],
  /** The user whom it belongs to, here `user`. */
  "its owner and staff": ["user", "employee", "admin"],
  staff: ["employee", "admin"],
  "staff and printers": ["employee", "admin", "printer"],
  admins: ["admin"],
  programs: ["api-key"],
  "the identity provider": ["provider"],
} as const satisfies Record<string, readonly Caller[]>;
export type Admission = keyof typeof admissions;

/** Who is let in, by route; written by hand from the wire contract, never derived from the code. */
export const accessTable: Record<string, Admission> = {
  // 3.4
  "GET /categories": "everybody",
  "GET /categories/slug/{slug}": "everybody",
  "GET /categories/{category_id}": "everybody",
  "POST /categories": "staff",
  "PATCH /categories/{category_id}": "staff",
  "DELETE /categories/{category_id}": "admins",
  // 3.2
  "GET /users": "staff",
  "GET /users/meta/count": "staff",
  "GET /users/clerk/{clerk_id}": "its owner and staff",
  "GET /users/{user_id}": "its owner and staff",
  "PATCH /users/{user_id}": "staff",
  // 3.3
  "GET /balance/history/{user_id}": "its owner and staff",
  "POST /balance/adjust/{user_id}": "admins",
  // 3.10
  "GET /audit-log": "staff",
  // 3.11 and 2.6
  "GET /integrations/yml": "everybody",
  "GET /integrations/yml/file": "everybody",
  "POST /documents/price": "programs",
  "POST /mail/{recipient}": "programs",
  "POST /webhooks/better-auth": "the identity provider",
  // 5
  "GET /print/orders/{order_id}": "staff and printers",
  "GET /print/waybills/{waybill_id}": "staff and printers",
  "GET /print/prices": "staff and printers",
  "GET /print/price": "staff and printers",
  // Ours: what belongs to somebody else looks like nothing at all.
  "GET /jobs/{job_id}": "users",
  "GET /addresses": "users",
  "GET /addresses/{address_id}": "users",
  "POST /addresses": "users",
  "PATCH /addresses/{address_id}": "users",
  "DELETE /addresses/{address_id}": "users",
  "POST /documents": "users",
  "GET /documents": "users",
  "GET /documents/{document_id}": "users",
  "GET /documents/{document_id}/download": "users",
  "POST /orders/{order_id}/convert": "staff",
  "GET /waybills": "staff",
  "GET /waybills/meta/count": "staff",
  // Of somebody else's it says that there is none.
  "GET /waybills/{waybill_id}": "users",
  "POST /waybills": "staff",
  "PATCH /waybills/{waybill_id}": "staff",
  "POST /waybills/{waybill_id}/commit": "staff",
  "DELETE /waybills/{waybill_id}": "staff",
  "GET /waybills/{waybill_id}/offers": "staff",
  "POST /waybills/{waybill_id}/offers": "staff",
  "PATCH /waybill-offers/{waybill_offer_id}": "staff",
  "DELETE /waybill-offers/{waybill_offer_id}": "staff",
  "GET /stock-movements": "staff",
  "GET /stock-movements/sums": "staff",
  "GET /analytics/products/best-selling": "staff",
  "GET /analytics/products/facets": "staff",
  "GET /orders": "users",
  "GET /orders/meta/count": "staff",
  "GET /orders/{order_id}": "everybody but bad tokens",
  "GET /orders/{order_id}/offers": "its owner and staff",
  "POST /orders": "everybody but bad tokens",
  "POST /orders/{order_id}/offers": "staff",
  "PATCH /orders/{order_id}": "staff",
  "DELETE /orders/{order_id}": "admins",
  "PATCH /order-offers/{order_offer_id}": "staff",
  "DELETE /order-offers/{order_offer_id}": "staff",
  "GET /cart": "users",
  "GET /carts/{user_id}": "staff",
  "POST /cart/offers": "users",
  "PATCH /cart/offers/{offer_id}": "users",
  "DELETE /cart/offers/{offer_id}": "users",
  "DELETE /cart": "users",
  "POST /cart/merge": "users",
  "POST /cart/seen": "users",
  "POST /cart/checkout": "users",
  "POST /orders/{order_id}/payments": "its owner and staff",
  "GET /orders/{order_id}/payments": "its owner and staff",
  "GET /payments": "staff",
  "GET /payments/{payment_id}": "users",
  "POST /payments/{payment_id}/confirm": "staff",
  "POST /payments/{payment_id}/capture": "staff",
  "POST /payments/{payment_id}/refund": "staff",
  "POST /payments/{payment_id}/fail": "staff",
  "POST /webhooks/payments/{provider}": "everybody",
  "GET /payments/test-provider/{reference}": "everybody",
  "POST /payments/test-provider/{reference}": "everybody",
};
