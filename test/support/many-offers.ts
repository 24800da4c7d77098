import type { DataSource } from "typeorm";
import { addProduct } from "./catalogue.ts";

/** Ids of so many offers of one product, numbered `N-0`, `N-1` and so on; two pieces of each, for 100 roubles. */
export async function addManyOffers(db: DataSource, count: number): Promise<string[]> {
  const { id } = await addProduct(db);
  const rows: { id: string }[] = await db.query(
    `INSERT INTO offers (product_id, brand, manufacturer_number, price_rub, super_wholesale_price_rub, quantity)
     SELECT $1, 'ACME', 'N-' || n, 100, 100, 2 FROM generate_series(0, $2::int - 1) AS n ORDER BY n RETURNING id`,
    [id, count],
  );
  return rows.map((row) => row.id);
}
