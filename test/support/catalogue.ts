import { randomUUID } from "node:crypto";
import type { DataSource } from "typeorm";
import { Category } from "../../src/db/entities/catalogue/category.ts";
import { Offer } from "../../src/db/entities/catalogue/offer.ts";
import { Product } from "../../src/db/entities/catalogue/product.ts";
import { SubCategory } from "../../src/db/entities/catalogue/sub-category.ts";

type CategoryValues = Partial<Pick<Category, "name" | "slug" | "imageUrl" | "imageId">>;
type SubCategoryValues = Partial<
  Pick<SubCategory, "categoryId" | "name" | "slug" | "imageUrl" | "imageId"> & { category: CategoryValues }
>;
type ProductValues = Partial<
  Pick<
    Product,
    "subCategoryId" | "name" | "slug" | "crossNumber" | "bitrixId" | "imageUrl" | "imageId" | "isDeleted"
  > & { subCategory: SubCategoryValues }
>;
type OfferValues = Partial<
  Pick<
    Offer,
    | "id"
    | "productId"
    | "brand"
    | "manufacturerNumber"
    | "sku"
    | "offerBitrixId"
    | "internalDescription"
    | "priceRub"
    | "superWholesalePriceRub"
    | "quantity"
    | "imageUrl"
    | "imageId"
    | "isDeleted"
  > & { product: ProductValues }
>;

/** Ids of an offer and of everything above it. */
export interface OfferIds {
  id: string;
  productId: string;
  subCategoryId: string;
  categoryId: string;
}

const unique = (word: string) => `${word}-${randomUUID()}`;

/** Inserts a category of its own name and slug. */
export async function addCategory(db: DataSource, values: CategoryValues = {}) {
  const row = { id: randomUUID(), name: unique("Category"), slug: unique("category"), ...values };
  await db.manager.insert(Category, row);
  return { id: row.id };
}

/** Inserts a sub-category, and unless `categoryId` is given its category. */
export async function addSubCategory(db: DataSource, { category, ...values }: SubCategoryValues = {}) {
  const categoryId = values.categoryId ?? (await addCategory(db, category)).id;
  const row = { id: randomUUID(), name: unique("Sub-category"), slug: unique("sub-category"), ...values, categoryId };
  await db.manager.insert(SubCategory, row);
  return { id: row.id, categoryId };
}

/** Inserts a product, and unless `subCategoryId` is given everything above it. */
export async function addProduct(db: DataSource, { subCategory, ...values }: ProductValues = {}) {
  const subCategoryId = values.subCategoryId ?? (await addSubCategory(db, subCategory)).id;
  const row = { id: randomUUID(), name: unique("Product"), slug: unique("product"), ...values, subCategoryId };
  await db.manager.insert(Product, row);
  const { categoryId } = await db.manager.findOneByOrFail(SubCategory, { id: subCategoryId });
  return { id: row.id, subCategoryId, categoryId };
}

/** Inserts an offer of 1,000 and 700 roubles with 10 pieces, and unless `productId` is given everything above it. */
export async function addOffer(db: DataSource, { product, ...values }: OfferValues = {}): Promise<OfferIds> {
  const productId = values.productId ?? (await addProduct(db, product)).id;
  const usual = { brand: "ACME", manufacturerNumber: "AC-100", priceRub: 1_000, superWholesalePriceRub: 700 };
  const row = { id: randomUUID(), quantity: 10, ...usual, ...values, productId };
  await db.manager.insert(Offer, row);
  const { subCategoryId } = await db.manager.findOneByOrFail(Product, { id: productId });
  const { categoryId } = await db.manager.findOneByOrFail(SubCategory, { id: subCategoryId });
  return { id: row.id, productId, subCategoryId, categoryId };
}
