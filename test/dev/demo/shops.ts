import { type Business, generateBusiness } from "../../../dev/demo/business.ts";
import { type Catalogue, generateCatalogue } from "../../../dev/demo/catalogue.ts";

const seed = 20;

function shop(size: "small" | "full"): [size: "small" | "full", catalogue: Catalogue, business: Business] {
  const catalogue = generateCatalogue({ seed, size });
  return [size, catalogue, generateBusiness(catalogue, { seed })];
}

/** Both demo shops as the loader makes them. */
export const shops = [shop("small"), shop("full")] as const;

/** Rows by their id. */
export function byId<T extends { id: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** The row that must be there. */
export function find<T>(rows: ReadonlyMap<string, T>, id: string | null): T {
  const row = id === null ? undefined : rows.get(id);
  if (!row) throw new Error(`There is no row "${id}"`);
  return row;
}

/** What lines cost together. */
export function sumOf(lines: readonly { quantity: number; priceRub: number }[]): number {
  return lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
}
