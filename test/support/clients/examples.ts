/** Answers that both front ends read (contract 1.16). */
const times = { created_at: "2026-01-15T09:30:00.123Z", updated_at: "2026-01-16T10:00:00.000Z" };
const image_url = "https://storage.yandexcloud.net/tcf-images/default.svg";

export const category = {
  id: "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81",
  name: "Тормоза",
  slug: "tormoza",
  image_url,
  ...times,
};

export const subCategory = {
  id: "0d3f1c52-8a4b-4d1e-8f77-5b9c2a1e4d02",
  name: "Колодки",
  slug: "kolodki",
  category_id: category.id,
  image_url,
  category,
  ...times,
};

export const product = {
  id: "9f4b2a10-1c2d-4e3f-8a5b-6c7d8e9f0a13",
  name: "Колодка передняя",
  slug: "kolodka-peredniaia",
  cross_number: "1234567, 7654321",
  bitrix_id: null,
  sub_category_id: subCategory.id,
  sub_category: subCategory,
  is_deleted: false,
  image_url,
  total_quantity: 7,
  min_price_rub: 1500,
  ...times,
};

export const offer = {
  id: "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9",
  sku: "A-01-02",
  address_id: "A-01-02",
  product_id: product.id,
  offer_bitrix_id: null,
  brand: "ACME",
  manufacturer_number: "AC-100",
  internal_description: null,
  price_rub: 1500,
  super_wholesale_price_rub: 1200,
  wholesale_price_rub: 1350,
  quantity: 7,
  is_deleted: false,
  image_url,
  product,
  ...times,
};

export const user = {
  id: "7c8d9e0f-1a2b-4c3d-8e4f-5a6b7c8d9e0f",
  clerk_id: "",
  email: "buyer@example.com",
  first_name: "Иван",
  last_name: "Петров",
  is_active: true,
  role: "USER",
  balance_rub: -1350,
  balance_usd: 0,
  balance_eur: 0,
  balance_try: 0,
  customer_type: "USER_WHOLESALE",
  mailing: false,
  phone: "+79780000000",
  city: "Севастополь",
  note: null,
  shipping_method: "CARGO",
  shipping_company: "CDEK",
  ...times,
};

const orderId = "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071";

export const orderOffer = {
  id: "3a4b5c6d-7e8f-4901-8a2b-3c4d5e6f7082",
  order_id: orderId,
  offer_id: offer.id,
  brand: "ACME",
  manufacturer_number: "AC-100",
  quantity: 2,
  price_rub: 1350,
  offer,
};

export const waybill = {
  id: "4b5c6d7e-8f90-4a12-9b3c-4d5e6f708193",
  order_id: orderId,
  customer_id: user.id,
  waybill_type: "WAYBILL_OUT",
  is_pending: true,
  note: null,
  author: user,
  customer: user,
  ...times,
};

export const waybillOffer = {
  ...orderOffer,
  order_id: undefined,
  waybill_id: waybill.id,
};

export const shopOrder = {
  id: orderId,
  status: "NEW",
  note: null,
  country: "RUS",
  city: "Севастополь",
  address: "ул. Хрусталёва, 74Ж",
  address_id: null,
  street: null,
  house: null,
  postal_code: null,
  shipping_method: "CARGO",
  shipping_company: "CDEK",
  first_name: "Иван",
  last_name: "Петров",
  email: "buyer@example.com",
  phone: "+79780000000",
  user,
  waybill,
  order_offers: [orderOffer],
  total_sum: 2700,
  ...times,
};

export const guestOrder = {
  ...shopOrder,
  ...{ address: null, country: null, city: null, shipping_company: null },
  shipping_method: "SELF_PICKUP",
  user: null,
  waybill: null,
};

export const warehouseOrder = {
  ...shopOrder,
  address_id: orderId,
  address: {
    id: orderId,
    user_id: user.id,
    first_name: "Иван",
    last_name: "Петров",
    phone: "+79780000000",
    city: "Севастополь",
    street: "ул. Хрусталёва, 74Ж",
    postal_code: "—",
    shipping_method: "CARGO",
    shipping_company: "CDEK",
    is_default: false,
  },
};

export const auditEntry = {
  id: "5c6d7e8f-9012-4b34-8c56-6e7f80912a34",
  user_id: user.id,
  method: "PATCH",
  endpoint: "https://api.example.com/warehouse/orders/2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071?a=1",
  payload: { status: "SHIPPING" },
  user: { ...user, role: "EMPLOYEE" },
  ...times,
};

export const bestSelling = { name: "Колодка передняя", image_url, sold: 2, revenue: 2700 };

/** One page with these items. */
export const pageWith = (...items: unknown[]) => ({ items, total: items.length, page: 1, size: 300, pages: 1 });
