import type { AddressInfo } from "node:net";
import express from "express";
import type { DataSource } from "typeorm";
import { mount } from "../../src/api/http/mount.ts";
import { createResponseCache } from "../../src/api/http/response-cache.ts";
import { createRightWatch } from "../../src/api/http/right-watch.ts";
import { createRouter } from "../../src/api/http/router.ts";
import { createSecrets } from "../../src/api/http/secrets.ts";
import type { ApiContext } from "../../src/api/http/types.ts";
import { routes } from "../../src/api/routes/index.ts";
import { createDataSource } from "../../src/db/data-source.ts";
import { Offer } from "../../src/db/entities/catalogue/offer.ts";
import { Product } from "../../src/db/entities/catalogue/product.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { bytesOf, type Cache, etagOf, openCache } from "../../src/platform/cache.ts";
import { createKeptFile } from "../../src/platform/kept-file.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { placeholderUrl } from "../../src/services/catalogue/placeholder-url.ts";

// The list of products in three ways, in one process: ours with its answers uncached, TypeORM's and pg's usual ones.

const { DATABASE_URL = "", REDIS_URL = "" } = process.env;
const db = await createDataSource(DATABASE_URL).initialize();
const log = createLogger("silent", "bench");
const kept = openCache(REDIS_URL, { prefix: "bench", log });
/** Keeps only what answers are made of, never an answer. */
const cache: Cache = {
  ...kept,
  async read(tag, key, load) {
    if (key === "parents") return kept.read(tag, key, load);
    const bytes = bytesOf(await load());
    return { bytes, etag: etagOf(bytes), isFresh: () => false };
  },
};
const context: ApiContext = {
  db,
  transact: createTransact(db, () => undefined),
  store: { publicUrl: (key: string) => `https://pictures.example/${key}` } as ApiContext["store"],
  keptFeed: createKeptFile(),
  shop: { payee: null, publicUrl: String },
  cache,
  log,
  metrics: createMetrics(),
  authenticate: () => Promise.reject(new Error("there is no login here")),
  rights: createRightWatch(db),
  operators: [],
  secrets: createSecrets([], undefined),
  limits: { countHere: () => undefined, countEverywhere: async () => undefined },
  answers: createResponseCache(0),
  unprovedMailsPerDay: 0,
  isExempt: () => true,
  isPrinter: () => false,
  cards: undefined,
  webhookRules: { allowPrivate: false },
  mailLinks: undefined,
  mailWebhook: undefined,
  stopping: new AbortController().signal,
  publicUrl: "http://127.0.0.1",
};

const app = express();
app.set("etag", false);
app.get("/typeorm", async (_req, res) => void res.json(await byTypeorm(db)));
app.get("/rows", async (_req, res) => void res.json(await byRows(db)));
app.use(mount(createRouter(), routes, context, "shop"));
const server = app.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});

const page = { page: 1, size: 300 };
const pagesOf = (total: number) => ({ total, ...page, pages: Math.ceil(total / page.size) });

async function byTypeorm({ manager }: DataSource) {
  const [products, total] = await manager.findAndCount(Product, {
    where: { isDeleted: false },
    relations: { image: true, subCategory: { image: true, category: { image: true } } },
    order: { name: "ASC", id: "ASC" },
    take: page.size,
  });
  const sums: { id: string; total: number; least: number | null }[] = await manager
    .createQueryBuilder(Offer, "o")
    .select("o.product_id", "id")
    .addSelect("sum(o.quantity)::float8", "total")
    .addSelect("coalesce(min(o.price_rub) FILTER (WHERE o.quantity > 0), min(o.price_rub))", "least")
    .where("o.product_id IN (:...ids) AND NOT o.is_deleted", { ids: products.map(({ id }) => id) })
    .groupBy("o.product_id")
    .getRawMany();
  const sumOf = new Map(sums.map((sum) => [sum.id, sum]));
  const items = products.map((product) => {
    const { subCategory } = product;
    const { category } = subCategory;
    return view(
      {
        ...product,
        totalQuantity: sumOf.get(product.id)?.total ?? 0,
        minPriceRub: sumOf.get(product.id)?.least ?? null,
      },
      subCategory,
      category,
    );
  });
  return { items, ...pagesOf(total) };
}

const rowsSql = `
  SELECT p.*, s.id AS s_id, s.name AS s_name, s.slug AS s_slug, s.category_id AS s_category_id, s.image_url AS s_image_url,
    s.created_at AS s_created_at, s.updated_at AS s_updated_at, c.id AS c_id, c.name AS c_name, c.slug AS c_slug,
    c.image_url AS c_image_url, c.created_at AS c_created_at, c.updated_at AS c_updated_at,
    pi.object_key AS p_key, si.object_key AS s_key, ci.object_key AS c_key, stock.total, stock.least
  FROM products p
  JOIN sub_categories s ON s.id = p.sub_category_id JOIN categories c ON c.id = s.category_id
  LEFT JOIN images pi ON pi.id = p.image_id LEFT JOIN images si ON si.id = s.image_id
  LEFT JOIN images ci ON ci.id = c.image_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(o.quantity), 0)::float8 AS total,
      coalesce(min(o.price_rub) FILTER (WHERE o.quantity > 0), min(o.price_rub)) AS least
    FROM offers o WHERE o.product_id = p.id AND NOT o.is_deleted
  ) stock
  WHERE NOT p.is_deleted ORDER BY p.name, p.id LIMIT 300`;

/** As a programmer without an ORM writes it. */
async function byRows(source: DataSource) {
  const [rows, [count]] = await Promise.all([
    source.query(rowsSql),
    source.query("SELECT count(*)::int AS total FROM products WHERE NOT is_deleted"),
  ]);
  const items = rows.map((row: Record<string, never>) => {
    const named = (prefix: string) => ({
      id: row[`${prefix}id`],
      name: row[`${prefix}name`],
      slug: row[`${prefix}slug`],
      imageUrl: row[`${prefix}image_url`],
      createdAt: row[`${prefix}created_at`],
      updatedAt: row[`${prefix}updated_at`],
    });
    const product = {
      ...named(""),
      crossNumber: row.cross_number,
      bitrixId: row.bitrix_id,
      subCategoryId: row.sub_category_id,
      isDeleted: row.is_deleted,
      totalQuantity: row.total,
      minPriceRub: row.least,
    };
    return view(product as never, { ...named("s_"), categoryId: row.s_category_id } as never, named("c_") as never);
  });
  return { items, ...pagesOf(count.total) };
}

interface Named {
  id: string;
  name: string;
  slug: string;
  imageUrl: string | null;
  createdAt: Date;
  updatedAt: Date;
}

interface Viewed extends Named {
  crossNumber: string | null;
  bitrixId: string | null;
  subCategoryId: string;
  isDeleted: boolean;
  totalQuantity: number;
  minPriceRub: number | null;
}

function view(product: Viewed, subCategory: Named & { categoryId: string }, category: Named) {
  return {
    ...namedView(product),
    cross_number: product.crossNumber,
    bitrix_id: product.bitrixId,
    sub_category_id: product.subCategoryId,
    sub_category: {
      ...namedView(subCategory),
      category_id: subCategory.categoryId,
      category: namedView(category),
    },
    is_deleted: product.isDeleted,
    total_quantity: product.totalQuantity,
    min_price_rub: product.minPriceRub,
  };
}

function namedView({ id, name, slug, imageUrl, createdAt, updatedAt }: Named) {
  return { id, name, slug, image_url: imageUrl || placeholderUrl, created_at: createdAt, updated_at: updatedAt };
}
