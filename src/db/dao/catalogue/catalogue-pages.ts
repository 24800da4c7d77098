import type { Pool, PoolClient } from "pg";
import type { EntityManager } from "typeorm";
import type { PostgresDriver } from "typeorm/driver/postgres/PostgresDriver.js";
import { type OfferFilter, offersWhere, type ProductFilter, productsWhere, type Where } from "./catalogue-filters.ts";
import { offerSums } from "./catalogue-rows.ts";
import type { Search } from "./catalogue-search.ts";

type Text = string | null;

/** A product as `flatRows` returns it. */
export type ProductTexts = readonly [
  ...[id: string, name: string, slug: string, crossNumber: Text, bitrixId: Text, subCategoryId: string],
  ...[isDeleted: string, imageUrl: Text, objectKey: Text, createdAt: string, updatedAt: string],
  ...[totalQuantity: string, minPriceRub: Text],
];

/** An offer as `flatRows` returns it, and its product. */
export type OfferTexts = readonly [
  ...[id: string, productId: string, sku: Text, offerBitrixId: Text, brand: string, manufacturerNumber: string],
  ...[internalDescription: Text, priceRub: string, superWholesalePriceRub: string, quantity: string],
  ...[isDeleted: string, imageUrl: Text, objectKey: Text, createdAt: string, updatedAt: string],
  ...ProductTexts,
];

interface Slice {
  limit: number;
  offset: number;
}

/** Rows of a page by default; nearly all requests are for the first page of this size. */
export const defaultSize = 300;

/**
 * A limit that is a parameter makes Postgres plan each call, since it does not know the number of rows. The default
 * page has its limit in its text, and is planned once for each connection.
 */
function paged({ limit, offset }: Slice): Where {
  if (limit === defaultSize && offset === 0) return { sql: `LIMIT ${defaultSize}`, values: [], shape: "first" };
  return { sql: "LIMIT $1 OFFSET $2", values: [limit, offset], shape: "page" };
}

/** Some rows, and the total. */
export interface Rows<Row> {
  rows: readonly Row[];
  total: number;
}

/** Times as Postgres writes them without a zone; they are UTC. */
const common = (t: string, i: string) =>
  `${t}.is_deleted, ${t}.image_url, ${i}.object_key, ${t}.created_at AT TIME ZONE 'UTC', ${t}.updated_at AT TIME ZONE 'UTC'`;

const productTexts = `
  p.id, p.name, p.slug, p.cross_number, p.bitrix_id, p.sub_category_id, ${common("p", "pi")}, stock.total, stock.least`;
const productJoins = `LEFT JOIN images pi ON pi.id = p.image_id ${offerSums("p.id")}`;

const offerTexts = `
  o.id, o.product_id, o.sku, o.offer_bitrix_id, o.brand, o.manufacturer_number, o.internal_description,
  o.price_rub, o.super_wholesale_price_rub, o.quantity, ${common("o", "i")}, ${productTexts}`;
const offerJoins = `LEFT JOIN images i ON i.id = o.image_id JOIN products p ON p.id = o.product_id ${productJoins}`;

/** Products by name; one statement. */
export function listProducts(reader: EntityManager, filter: ProductFilter, slice: Slice): Promise<Rows<ProductTexts>> {
  const page = paged(slice);
  const { sql, values, shape } = productsWhere(filter, page.values.length + 1);
  const text = `
    SELECT ${productTexts}, (SELECT count(*) FROM products p ${sql})
    FROM (SELECT * FROM products p ${sql} ORDER BY p.name, p.id ${page.sql}) p ${productJoins}
    ORDER BY p.name, p.id`;
  const statement = { name: `products-${page.shape}-${shape}`, text, values: [...page.values, ...values] };
  return withTotal(reader, statement, slice, () => countProducts(reader, filter));
}

/** The products that follow this one by name; costs the same however many came before. */
export function listProductsAfter(reader: EntityManager, filter: ProductFilter, last: ProductTexts, limit: number) {
  const { sql, values, shape } = productsWhere(filter, 4);
  const text = `
    SELECT ${productTexts}
    FROM (
      SELECT * FROM products p ${sql} AND (p.name, p.id) > ($1::text, $2::uuid) ORDER BY p.name, p.id LIMIT $3
    ) p ${productJoins}
    ORDER BY p.name, p.id`;
  const [id, name] = last;
  return flatRows<ProductTexts>(reader, {
    name: `products-after-${shape}`,
    text,
    values: [name, id, limit, ...values],
  });
}

export function countProducts(reader: EntityManager, filter: ProductFilter): Promise<number> {
  const { sql, values, shape } = productsWhere(filter, 1);
  return count(reader, { name: `product-count-${shape}`, text: `SELECT count(*) FROM products p ${sql}`, values });
}

/** Offers, those with the highest id first; one statement. */
export function listOffers(reader: EntityManager, filter: OfferFilter, slice: Slice): Promise<Rows<OfferTexts>> {
  const page = paged(slice);
  const { sql, values, shape } = offersWhere(filter, page.values.length + 1);
  const text = `
    SELECT ${offerTexts}, (SELECT count(*) FROM offers o ${sql})
    FROM (SELECT * FROM offers o ${sql} ORDER BY o.id DESC ${page.sql}) o ${offerJoins}
    ORDER BY o.id DESC`;
  const statement = { name: `offers-${page.shape}-${shape}`, text, values: [...page.values, ...values] };
  return withTotal(reader, statement, slice, () => countOffers(reader, filter));
}

export function countOffers(reader: EntityManager, filter: OfferFilter): Promise<number> {
  const { sql, values, shape } = offersWhere(filter, 1);
  return count(reader, { name: `offer-count-${shape}`, text: `SELECT count(*) FROM offers o ${sql}`, values });
}

/** One page of the products that a search finds; one statement. */
export function findProducts(reader: EntityManager, search: Search, slice: Slice): Promise<Rows<ProductTexts>> {
  return find(
    reader,
    search,
    slice,
    `${productTexts}, page.total FROM page JOIN products p USING (id) ${productJoins}`,
  );
}

/** One page of the offers that a search finds; one statement. */
export function findOffers(reader: EntityManager, search: Search, slice: Slice): Promise<Rows<OfferTexts>> {
  return find(reader, search, slice, `${offerTexts}, page.total FROM page JOIN offers o USING (id) ${offerJoins}`);
}

const orders: Record<Search["order"], (table: string) => string> = {
  "best first": (table) => `${table}.rank DESC, ${table}.id DESC`,
  "id descending": (table) => `${table}.id DESC`,
  "id ascending": (table) => `${table}.id`,
};

function find<Row extends readonly unknown[]>(
  reader: EntityManager,
  { name, sql, values, order }: Search,
  slice: Slice,
  rest: string,
): Promise<Rows<Row>> {
  const text = `
    WITH found AS MATERIALIZED (${sql}),
    page AS (
      SELECT id, rank, count(*) OVER () AS total FROM found
      ORDER BY ${orders[order]("found")} LIMIT $${values.length + 1} OFFSET $${values.length + 2}
    )
    SELECT ${rest} ORDER BY ${orders[order]("page")}`;
  const statement = { text, values: [...values, slice.limit, slice.offset], ...(name !== undefined && { name }) };
  const countAll = () => count(reader, { text: `SELECT count(*) FROM (${sql}) found`, values });
  return withTotal(reader, statement, slice, countAll);
}

/** The total is the last column of each row; a page past the end has no row, so another statement counts. */
async function withTotal<Row extends readonly unknown[]>(
  reader: EntityManager,
  statement: FlatStatement,
  { offset }: Slice,
  countAll: () => Promise<number>,
): Promise<Rows<Row>> {
  const rows = await flatRows<Row>(reader, statement);
  const [first] = rows;
  if (first) return { rows, total: Number(first.at(-1)) };
  return { rows, total: offset === 0 ? 0 : await countAll() };
}

async function count(reader: EntityManager, statement: FlatStatement): Promise<number> {
  const [row] = await flatRows<[string]>(reader, statement);
  return Number(row?.[0]);
}

interface FlatStatement {
  /** Statements with a name are planned once for each connection; the name stands for exactly this text. */
  name?: string;
  text: string;
  values: readonly unknown[];
}

/** Each value as Postgres' own text: nothing is parsed that would be serialized again. */
const asText = { getTypeParser: () => (value: unknown) => value };

/**
 * Rows as arrays of texts in the order of the columns, NULL as null: for lists of hundreds of rows, where TypeORM's
 * objects cost more than the query. Reads inside the transaction of `reader`, if it has one.
 */
async function flatRows<Row>(reader: EntityManager, { name, text, values }: FlatStatement): Promise<Row[]> {
  const driver = reader.dataSource.driver as PostgresDriver;
  const connection: Pool | PoolClient = reader.queryRunner ? await reader.queryRunner.connect() : driver.master;
  const query = { ...(name && { name }), text, values: [...values], rowMode: "array" as const, types: asText };
  const { rows } = await connection.query(query as never);
  return rows as unknown as Row[];
}
