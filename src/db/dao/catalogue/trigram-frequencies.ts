import type { DataSource, EntityManager } from "typeorm";

/** How common a trigram is among the texts of a column; 0 for rare ones and where Postgres has not counted yet. */
export type FrequencyOf = (trigram: number) => number;

/** Columns of trigrams, by their source. */
export type TrigramColumn =
  | "name_trigrams"
  | "cross_number_trigrams"
  | "brand_trigrams"
  | "manufacturer_number_trigrams";

type Frequencies = ReadonlyMap<string, ReadonlyMap<number, number>>;

const rememberedMs = 600_000;
const cached = new WeakMap<DataSource, { until: number; frequencies: Promise<Frequencies> }>();

/** Reads what ANALYZE has counted, at most every ten minutes; only the speed of searches depends on it. */
export async function trigramFrequencies({
  dataSource,
}: EntityManager): Promise<(column: TrigramColumn) => FrequencyOf> {
  let known = cached.get(dataSource);
  if (!known || known.until < Date.now()) {
    known = { until: Date.now() + rememberedMs, frequencies: load(dataSource) };
    cached.set(dataSource, known);
    known.frequencies.catch(() => cached.delete(dataSource));
  }
  const frequencies = await known.frequencies;
  return (column) => (trigram) => frequencies.get(column)?.get(trigram) ?? 0;
}

interface Statistics {
  column: string;
  trigrams: number[];
  frequencies: number[];
}

async function load(db: DataSource): Promise<Frequencies> {
  const rows: Statistics[] = await db.query(`
    SELECT attname AS column, most_common_elems::text::integer[] AS trigrams, most_common_elem_freqs AS frequencies
    FROM pg_stats WHERE schemaname = current_schema() AND tablename IN ('product_search', 'offer_search')
      AND most_common_elems IS NOT NULL`);
  return new Map(
    rows.map(({ column, trigrams, frequencies }) => [
      column,
      new Map(trigrams.map((trigram, index) => [trigram, frequencies[index] ?? 0])),
    ]),
  );
}
