import { z } from "zod";
import { defaultSize } from "../../db/dao/catalogue/catalogue-pages.ts";
import { integer } from "./fields.ts";

/** Page query of a list (contract 1.6). */
export const pageQuery = (largest = 500) =>
  z.object({
    page: integer(z.int().min(1).max(1_000_000).default(1)),
    size: integer(z.int().min(1).max(largest).default(defaultSize)),
  });

export type PageQuery = z.output<ReturnType<typeof pageQuery>>;

/** Response schema of one page of `item`. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({ items: z.array(item), total: z.int(), page: z.int(), size: z.int(), pages: z.int() });

/** Response schema of a list that the warehouse expects whole and bare (contract 1.16). */
export const pageOrArrayOf = <S extends z.ZodType>(item: S) =>
  z.union([pageOf(item), z.array(item)]).meta({ description: "A page; under `/warehouse` an array of all" });

/** The slice for the database. */
export const slice = ({ page, size }: PageQuery) => ({ limit: size, offset: (page - 1) * size });

/** One page in the clients' format; a page past the end has no items but true totals. */
export function toPage<T>(items: T[], total: number, { page, size }: PageQuery) {
  return { items, total, page, size, pages: Math.ceil(total / size) };
}

/** Answer of a count. */
export const Count = z.object({ count: z.int() }).meta({ id: "Count" });
