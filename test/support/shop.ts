import type { Body } from "./api.ts";
import { call, type TestApi } from "./api.ts";

export interface LineBody {
  id: string;
  order_id: string;
  offer_id: string;
  brand: string;
  manufacturer_number: string;
  quantity: number;
  price_rub: number;
  seen_price_rub: number;
  price_changed: boolean;
  available: number;
  is_short: boolean;
  is_out_of_stock: boolean;
  sum_rub: number;
  offer: { id: string; brand: string; quantity: number; product: { id: string } };
}

/** What answers about orders, carts and payments may have besides what all may have. */
export interface ShopBody extends Omit<Body, "items"> {
  items: ShopBody[];
  note: string | null;
  country: string | null;
  city: string | null;
  address: unknown;
  address_id: string | null;
  shipping_method: string;
  shipping_company: string | null;
  first_name: string;
  last_name: string;
  email: string;
  phone: string;
  user: { id: string; email: string } | null;
  user_id: string;
  waybill: { id: string; is_pending: boolean } | null;
  order_offers: LineBody[];
  cart_offers: LineBody[];
  skipped: { offer_id: string; reason: string }[];
  items_count: number;
  total_quantity: number;
  total_sum: number;
  count: number;
  order_id: string;
  method: string;
  state: string;
  amount_rub: number;
  provider: string | null;
  provider_reference: string | null;
  checkout_url: string | null;
  failure: string | null;
  created_by: string | null;
  paid_at: string | null;
  refunded_at: string | null;
}

export interface Sending {
  /** Undefined: no token at all. */
  token?: string | undefined;
  /** Idempotency-Key. */
  key?: string;
  headers?: Record<string, string>;
}

/** Sends JSON, if there is a body, and reads the answer of the shop. */
export async function send(api: TestApi, method: string, path: string, body?: unknown, options: Sending = {}) {
  const { token, key, headers } = options;
  const answer = await call(api.url + path, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...(key && { "idempotency-key": key }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { ...answer, body: answer.body as unknown as ShopBody };
}

/** As `send`, of a client that sends a request again when the server is busy. */
export async function sendPatiently(...args: Parameters<typeof send>) {
  for (let attempt = 1; ; attempt++) {
    const answer = await send(...args);
    if (answer.status !== 503 || attempt === 10) return answer;
  }
}

/** Contact and shipping of a guest, as the storefront sends them. */
export const guest = {
  status: "NEW",
  note: null,
  address: "ул. Хрусталёва, 74Ж",
  country: "RUS",
  city: "Севастополь",
  shipping_method: "CARGO",
  shipping_company: "CDEK",
  user_id: null,
  first_name: "Иван",
  last_name: "Петров",
  email: "buyer@test.example",
  phone: "+7 (978) 000-00-00",
};

/** A line as the storefront sends it; only offer and quantity mean anything. */
export const lineOf = (offerId: string, quantity = 1) => ({
  offer_id: offerId,
  brand: "Whatever",
  manufacturer_number: "0",
  quantity,
  price_rub: 1,
});
