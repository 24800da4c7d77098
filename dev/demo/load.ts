import { Readable } from "node:stream";
import type { DataSource, EntityManager } from "typeorm";
import { discardImage, stageImage } from "../../src/api/http/stage-image.ts";
import { priorities } from "../../src/engine/define-job.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { NotThereYetError, UnavailableError } from "../../src/errors.ts";
import type { ObjectStore } from "../../src/platform/object-store.ts";
import { type Patience, whileUnreachable } from "../../src/platform/while-unreachable.ts";
import { addImage, promiseImage, type StagedImage } from "../../src/services/catalogue/images.ts";
import { insertRows } from "./bulk.ts";
import { opened } from "./business/calendar.ts";
import { businessTables, countBusiness, enterBusiness } from "./business/enter.ts";
import { type Business, generateBusiness } from "./business.ts";
import { type Catalogue, type CategoryRow, generateCatalogue } from "./catalogue.ts";
import { drawPicture } from "./pictures.ts";
import { demoUsers } from "./users.ts";

export interface LoadOptions {
  draw?: typeof drawPicture;
  /** How long a picture is tried again that the object store does not take; absent: not at all. */
  patience?: Patience | undefined;
}

/** How many rows were written, by what they are called. */
export type Loaded = Record<string, number>;

const seed = 20;
const limits = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"] as const;
const system = { actorId: null, traceId: null };
/** A row in one of these means that a person has started to work. */
const workedOn = ["categories", "addresses", "orders", "waybills", "user_balance_history", "carts"];

/**
 * Enters the demo users and, into a shop in which nothing was done yet, the generated catalogue with its pictures and
 * half a year of business with it. May be repeated, also by two processes at once: the demo users are brought up to
 * date, a shop that is there is left alone.
 */
export async function loadDemo(
  db: DataSource,
  store: ObjectStore,
  size: "none" | "small" | "full",
  { draw = drawPicture, patience }: LoadOptions = {},
): Promise<Loaded> {
  const transact = createTransact(db, () => undefined);
  await transact(system, (tx) => insertRows(tx, "users", demoUsers, { update: true }));
  const loaded = { users: demoUsers.length };
  if (size === "none" || !(await isEmpty(db.manager))) return loaded;

  const catalogue = generateCatalogue({ seed, size });
  const business = generateBusiness(catalogue, { seed });
  const pictures = await stagePictures(store, catalogue.categories, { draw, patience });
  const entered = await transact(system, (tx) => enterShop(tx, catalogue, business, pictures)).catch(async (error) => {
    await discard(store, pictures);
    throw error;
  });
  if (!entered) {
    await discard(store, pictures);
    return loaded;
  }
  await db.query(`ANALYZE categories, sub_categories, products, offers, ${businessTables.join(", ")}`);
  return {
    categories: catalogue.categories.length,
    "sub-categories": catalogue.subCategories.length,
    products: catalogue.products.length,
    offers: catalogue.offers.length,
    ...countBusiness(business),
  };
}

type Pictures = ReadonlyMap<CategoryRow, StagedImage>;

/** All or none: what was staged before a failure is taken back. */
async function stagePictures(
  store: ObjectStore,
  categories: readonly CategoryRow[],
  { draw, patience }: LoadOptions & { draw: typeof drawPicture },
): Promise<Pictures> {
  const staged = new Map<CategoryRow, StagedImage>();
  const results = await Promise.allSettled(
    categories.map(async (category, index) => {
      const picture = await draw(category, seed + index);
      const attempt = () => stage(store, picture);
      staged.set(category, await (patience ? whileUnreachable(attempt, patience) : attempt()));
    }),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (!failed) return staged;
  await discard(store, staged);
  throw failed.reason;
}

async function stage(store: ObjectStore, picture: Buffer): Promise<StagedImage> {
  const file = { name: "picture.jpg", content: Readable.from([picture]), atMost: picture.length };
  try {
    return await stageImage(store, "categories", file);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new NotThereYetError(`The object store cannot be reached: ${error.message}.`, { cause: error });
  }
}

async function discard(store: ObjectStore, pictures: Pictures) {
  await Promise.all(Array.from(pictures.values(), (image) => discardImage(store, image)));
}

/** False when a person has started to work since. */
async function enterShop(tx: EntityManager, catalogue: Catalogue, business: Business, pictures: Pictures) {
  // On a busy machine it takes as long as it takes, and so does another process that enters one.
  for (const limit of limits) await tx.query(`SET LOCAL ${limit} = 0`);
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('demo catalogue'))");
  if (!(await isEmpty(tx))) return false;

  for (const image of pictures.values()) await addImage(tx, image, null);
  const categories = catalogue.categories.map((row) => ({ ...row, imageId: pictures.get(row)?.id ?? null }));
  await insertRows(tx, "categories", dated(categories));
  await insertRows(tx, "sub_categories", dated(catalogue.subCategories));
  await insertRows(tx, "products", dated(catalogue.products));
  await insertRows(tx, "offers", dated(catalogue.offers, lastMoves(business)));
  await enterBusiness(tx, business);
  for (const [category, image] of pictures) {
    const payload = { entity: "category", entityId: category.id, imageId: image.id } as const;
    // A person who uploads a photo meanwhile does not wait for ours.
    await promiseImage(tx, payload, { priority: priorities.bulk });
  }
  return true;
}

/** Everything was entered on the first day; what moved since was changed then. */
function dated<T extends { id: string }>(rows: readonly T[], changes: ReadonlyMap<string, string> = new Map()) {
  return rows.map((row) => ({ ...row, createdAt: opened, updatedAt: changes.get(row.id) ?? opened }));
}

function lastMoves({ stockMovements }: Business): Map<string, string> {
  return new Map(stockMovements.map(({ offerId, createdAt }) => [offerId, createdAt]));
}

async function isEmpty(tx: EntityManager) {
  const nothing = workedOn.map((table) => `NOT EXISTS (SELECT FROM ${table})`).join(" AND ");
  const [row]: { empty: boolean }[] = await tx.query(`SELECT ${nothing} AS empty`);
  return row?.empty === true;
}
