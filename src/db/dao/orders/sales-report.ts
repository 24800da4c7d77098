import type { EntityManager } from "typeorm";

/** Calendar days like `2026-11-22`, both included, in a time zone. */
export interface Period {
  from: string;
  to: string;
  timeZone: string;
}

/** Sales of one offer. */
export interface SoldRow {
  category: string;
  name: string;
  brand: string;
  manufacturerNumber: string;
  pieces: number;
  revenue: number;
}

export interface SalesTotals {
  waybills: number;
  pieces: number;
  revenue: number;
  returned: number;
  /** When one of its waybills was changed last. */
  changedAt: Date;
}

const within =
  "committed_at >= $1::timestamp AT TIME ZONE $3 AND committed_at < ($2::timestamp + interval '1 day') AT TIME ZONE $3";

const sold = (type: string) => `
  FROM waybill_offers line
  JOIN waybills waybill ON waybill.id = line.waybill_id AND waybill.waybill_type = '${type}'
  JOIN offers offer ON offer.id = line.offer_id
  JOIN products product ON product.id = offer.product_id
  JOIN sub_categories sub_category ON sub_category.id = product.sub_category_id
  JOIN categories category ON category.id = sub_category.category_id
  WHERE ${within}`;

const revenue = "sum(line.quantity::bigint * line.price_rub)::float8";

const totalsSql = `
  SELECT (SELECT count(*)::int FROM waybills WHERE waybill_type = 'WAYBILL_OUT' AND ${within}) AS waybills,
         coalesce((SELECT sum(line.quantity)::float8 ${sold("WAYBILL_OUT")}), 0) AS pieces,
         coalesce((SELECT ${revenue} ${sold("WAYBILL_OUT")}), 0) AS revenue,
         coalesce((SELECT ${revenue} ${sold("WAYBILL_RETURN")}), 0) AS returned,
         coalesce((SELECT max(updated_at) FROM waybills WHERE ${within}), 'epoch') AS "changedAt"`;

const rowsSql = `
  SELECT category.name AS category, product.name, line.brand, line.manufacturer_number AS "manufacturerNumber",
         sum(line.quantity)::float8 AS pieces, ${revenue} AS revenue
  ${sold("WAYBILL_OUT")}
  GROUP BY category.name, product.name, line.brand, line.manufacturer_number
  ORDER BY revenue DESC, product.name, line.brand, line.manufacturer_number`;

const byCategorySql = `
  SELECT category.name AS label, ${revenue} AS value ${sold("WAYBILL_OUT")}
  GROUP BY category.name ORDER BY value DESC, category.name`;

const byDaySql = `
  SELECT to_char(waybill.committed_at AT TIME ZONE $3, 'YYYY-MM-DD') AS label, ${revenue} AS value
  ${sold("WAYBILL_OUT")} GROUP BY 1 ORDER BY 1`;

export interface Sum {
  label: string;
  value: number;
}

const values = ({ from, to, timeZone }: Period) => [from, to, timeZone];

/** The data of sales reports: committed outgoing waybills, with the present names. */
export const salesReport = {
  async totals(tx: EntityManager, period: Period): Promise<SalesTotals> {
    const [totals] = await tx.query(totalsSql, values(period));
    return totals;
  },

  /** By revenue, the highest first. */
  rows: (tx: EntityManager, period: Period): Promise<SoldRow[]> => tx.query(rowsSql, values(period)),

  byCategory: (tx: EntityManager, period: Period): Promise<Sum[]> => tx.query(byCategorySql, values(period)),

  /** Days with sales, as `2026-11-22`. */
  byDay: (tx: EntityManager, period: Period): Promise<Sum[]> => tx.query(byDaySql, values(period)),
};
