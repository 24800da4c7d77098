/** Who may call a route at the least; `optional` takes a token and does without, `print` also trusts addresses. */
export type LeastRole = "public" | "optional" | "USER" | "EMPLOYEE" | "ADMIN" | "api-key" | "webhook" | "print";

export type ContractRoute = readonly [
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  role: LeastRole,
  success: number,
];

/** Every route of contract 2.6, 3.2 to 3.11 and 5; names of parameters carry no meaning. */
export const contractRoutes: readonly ContractRoute[] = [
  // 3.2
  ["GET", "/users", "EMPLOYEE", 200],
  ["GET", "/users/{user_id}", "USER", 200],
  ["GET", "/users/clerk/{clerk_id}", "USER", 200],
  ["GET", "/users/meta/count", "EMPLOYEE", 200],
  ["PATCH", "/users/{user_id}", "EMPLOYEE", 200],
  // 3.3
  ["GET", "/balance/history/{user_id}", "USER", 200],
  ["POST", "/balance/adjust/{user_id}", "ADMIN", 201],
  // 3.4
  ["GET", "/categories", "public", 200],
  ["GET", "/categories/slug/{slug}", "public", 200],
  ["GET", "/categories/{category_id}", "public", 200],
  ["POST", "/categories", "EMPLOYEE", 201],
  ["PATCH", "/categories/{category_id}", "EMPLOYEE", 200],
  ["DELETE", "/categories/{category_id}", "ADMIN", 204],
  // 3.5
  ["GET", "/sub-categories", "public", 200],
  ["GET", "/sub-categories/slug/{slug}", "public", 200],
  ["GET", "/sub-categories/{sub_category_id}", "public", 200],
  ["POST", "/sub-categories", "EMPLOYEE", 201],
  ["PATCH", "/sub-categories/{sub_category_id}", "EMPLOYEE", 200],
  ["DELETE", "/sub-categories/{sub_category_id}", "ADMIN", 204],
  // 3.6
  ["GET", "/products", "public", 200],
  ["GET", "/products/{product_id}", "public", 200],
  ["GET", "/products/slug/{slug}", "public", 200],
  ["GET", "/products/bitrix/{bitrix_id}", "public", 200],
  ["GET", "/products/search/wildcard", "public", 200],
  ["GET", "/products/search/fts", "public", 200],
  ["GET", "/products/meta/count", "public", 200],
  ["GET", "/products/meta/facets/categories", "public", 200],
  ["GET", "/products/meta/facets/sub-categories", "public", 200],
  ["POST", "/products", "EMPLOYEE", 201],
  ["PATCH", "/products/{product_id}", "EMPLOYEE", 200],
  ["DELETE", "/products/{product_id}", "ADMIN", 204],
  // 3.7
  ["GET", "/offers", "public", 200],
  ["GET", "/offers/{offer_id}", "public", 200],
  ["POST", "/offers/by-ids", "public", 200],
  ["GET", "/offers/meta/count", "public", 200],
  ["GET", "/offers/search/wildcard", "public", 200],
  ["GET", "/offers/search/fts", "public", 200],
  ["GET", "/offers/search/text_search", "public", 200],
  ["POST", "/offers", "EMPLOYEE", 201],
  ["PATCH", "/offers/{offer_id}", "EMPLOYEE", 200],
  ["DELETE", "/offers/{offer_id}", "ADMIN", 204],
  // 3.8
  ["GET", "/orders", "USER", 200],
  ["GET", "/orders/{order_id}", "optional", 200],
  ["GET", "/orders/{order_id}/offers", "USER", 200],
  ["GET", "/orders/meta/count", "EMPLOYEE", 200],
  ["POST", "/orders", "optional", 201],
  ["POST", "/orders/{order_id}/offers", "EMPLOYEE", 201],
  ["POST", "/orders/{order_id}/convert", "EMPLOYEE", 201],
  ["PATCH", "/orders/{order_id}", "EMPLOYEE", 200],
  ["DELETE", "/orders/{order_id}", "ADMIN", 204],
  ["PATCH", "/order-offers/{order_offer_id}", "EMPLOYEE", 200],
  ["DELETE", "/order-offers/{order_offer_id}", "EMPLOYEE", 204],
  // 3.9
  ["GET", "/waybills", "EMPLOYEE", 200],
  ["GET", "/waybills/{waybill_id}", "USER", 200],
  ["GET", "/waybills/meta/count", "EMPLOYEE", 200],
  ["GET", "/waybills/{waybill_id}/offers", "EMPLOYEE", 200],
  ["POST", "/waybills", "EMPLOYEE", 201],
  ["PATCH", "/waybills/{waybill_id}", "EMPLOYEE", 200],
  ["POST", "/waybills/{waybill_id}/commit", "EMPLOYEE", 201],
  ["POST", "/waybills/{waybill_id}/offers", "EMPLOYEE", 201],
  ["DELETE", "/waybills/{waybill_id}", "EMPLOYEE", 204],
  ["PATCH", "/waybill-offers/{waybill_offer_id}", "EMPLOYEE", 200],
  ["DELETE", "/waybill-offers/{waybill_offer_id}", "EMPLOYEE", 204],
  // 3.10
  ["GET", "/analytics/products/best-selling", "EMPLOYEE", 200],
  ["GET", "/analytics/products/facets", "EMPLOYEE", 200],
  ["GET", "/audit-log", "EMPLOYEE", 200],
  // 3.11 and 2.6
  ["GET", "/integrations/yml", "public", 200],
  ["GET", "/integrations/yml/file", "public", 200],
  ["POST", "/documents/price", "api-key", 200],
  ["POST", "/mail/{recipient}", "api-key", 200],
  ["POST", "/webhooks/better-auth", "webhook", 200],
  // 5
  ["GET", "/print/orders/{order_id}", "print", 200],
  ["GET", "/print/waybills/{waybill_id}", "print", 200],
  ["GET", "/print/prices", "print", 200],
  ["GET", "/print/price", "print", 200],
];
