import type { EntityManager } from "typeorm";

/** Sums besides times: a row changed by a slow transaction has an older time, and a deleted row has none. */
const of = (table: string, more = "") => `
  (SELECT max(updated_at) AS newest, count(*) AS rows, sum(extract(epoch FROM updated_at)) AS times${more} FROM ${table})`;

const stateSql = `
  SELECT coalesce(greatest(category.newest, sub_category.newest, product.newest, offer.newest), 'epoch') AS "changedAt",
         concat_ws(' ', category.rows, category.times, sub_category.rows, sub_category.times, product.rows,
                   product.times, offer.rows, offer.times, offer.pieces, offer.prices, image.newest, image.rows)
           AS fingerprint
  FROM ${of("categories")} category, ${of("sub_categories")} sub_category, ${of("products")} product,
       ${of("offers", ", sum(quantity) AS pieces, sum(price_rub + super_wholesale_price_rub::bigint) AS prices")} offer,
       (SELECT max(published_at) AS newest, count(published_at) AS rows FROM images) image`;

/** When the catalogue was changed last (1970: it is empty), and a text that changes with everything in it. */
export async function catalogueState(tx: EntityManager): Promise<{ changedAt: Date; fingerprint: string }> {
  const [state] = await tx.query(stateSql);
  return state;
}
