import type { DataSource } from "typeorm";
import { Category } from "../../src/db/entities/catalogue/category.ts";
import { Offer } from "../../src/db/entities/catalogue/offer.ts";
import { Product } from "../../src/db/entities/catalogue/product.ts";
import { SubCategory } from "../../src/db/entities/catalogue/sub-category.ts";
import { Order } from "../../src/db/entities/orders/order.ts";
import { OrderOffer } from "../../src/db/entities/orders/order-offer.ts";
import { Waybill } from "../../src/db/entities/stock/waybill.ts";
import { WaybillOffer } from "../../src/db/entities/stock/waybill-offer.ts";

/** What a test may say of an offer and of what it hangs below; the rest is made up. */
export interface Goods {
  category?: string;
  subCategory?: string;
  product?: Partial<Pick<Product, "name" | "bitrixId" | "crossNumber" | "imageUrl" | "imageId" | "isDeleted">>;
  offer?: Partial<
    Pick<
      Offer,
      | "brand"
      | "manufacturerNumber"
      | "sku"
      | "internalDescription"
      | "imageUrl"
      | "imageId"
      | "priceRub"
      | "superWholesalePriceRub"
      | "quantity"
      | "isDeleted"
    >
  >;
}

let made = 0;

/** Stores one offer of a product of its own; categories of the same name are shared. Returns all four rows. */
export async function addOffer({ manager }: DataSource, { category, subCategory, product, offer }: Goods = {}) {
  const n = ++made;
  const top = await named(
    category ?? "Двигатель",
    (name, slug) => manager.save(Category, { name, slug }),
    (name) => manager.findOneBy(Category, { name }),
  );
  const sub = await named(
    subCategory ?? "Фильтры",
    (name, slug) => manager.save(SubCategory, { name, slug, categoryId: top.id }),
    (name) => manager.findOneBy(SubCategory, { name, categoryId: top.id }),
  );
  const savedProduct = await manager.save(Product, {
    name: `Фильтр масляный ${n}`,
    slug: `product-${n}`,
    subCategoryId: sub.id,
    ...product,
  });
  const savedOffer = await manager.save(Offer, {
    productId: savedProduct.id,
    brand: "FORD",
    manufacturerNumber: `175${n}`,
    priceRub: 717,
    superWholesalePriceRub: 573,
    quantity: 4,
    ...offer,
  });
  return { category: top, subCategory: sub, product: savedProduct, offer: savedOffer };
}

async function named<T>(
  name: string,
  save: (name: string, slug: string) => Promise<T>,
  find: (name: string) => Promise<T | null>,
) {
  return (await find(name)) ?? (await save(name, `slug-${++made}`));
}

interface Line {
  offer: Offer;
  quantity: number;
  priceRub: number;
}

const snapshot = ({ offer, quantity, priceRub }: Line) => ({
  offerId: offer.id,
  brand: offer.brand,
  manufacturerNumber: offer.manufacturerNumber,
  quantity,
  priceRub,
});

/** Stores an order with these lines. */
export async function addOrder({ manager }: DataSource, lines: Line[], order: Partial<Order> = {}) {
  const saved = await manager.save(Order, {
    userId: null,
    city: "Севастополь",
    address: "ул. Большая Морская, д. 12",
    shippingMethod: "CARGO",
    shippingCompany: "CDEK",
    firstName: "Анна",
    lastName: "Ковалёва",
    email: "anna@test.example",
    phone: "+79780424666",
    ...order,
  } as Order);
  for (const [position, line] of lines.entries()) {
    await manager.save(OrderOffer, { orderId: saved.id, position, ...snapshot(line) });
  }
  return saved;
}

/** Stores a waybill that is not committed, with these lines. */
export async function addWaybill(
  { manager }: DataSource,
  lines: Line[],
  waybill: Pick<Waybill, "authorId" | "customerId"> & Partial<Waybill>,
) {
  const saved = await manager.save(Waybill, { waybillType: "WAYBILL_OUT", ...waybill } as Waybill);
  for (const line of lines) await manager.save(WaybillOffer, { waybillId: saved.id, ...snapshot(line) });
  return saved;
}
