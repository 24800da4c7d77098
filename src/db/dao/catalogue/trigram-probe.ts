import type { DataSource, EntityManager } from "typeorm";

/** How common a trigram is among the texts of a column; 0 for rare ones and where Postgres has not counted yet. */
type FrequencyOf = (trigram: number) => number;

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

/** Minimum sizes of the classes; the function `trigram_keys` of migration 0003 has the same. */
const classes = [1, 10, 30, 60, 120, 240, 480, 960, 1920];
/** Trigrams have 24 bits; the class is in the bits above them. */
const classBit = 24;

/** A similarity to exceed, as a fraction. */
export interface Threshold {
  over: number;
  of: number;
}

/**
 * Keys of which a text has at least one if its similarity to a term exceeds the threshold, so that an index on keys
 * finds all candidates, and few others. `trigrams` are the term's; `frequencyOf` tells how common one is, to look for
 * rare ones: it affects the speed of a search, never its result.
 *
 * Similarity is shared / (a + b - shared) for sets of a and b trigrams. So a text of b trigrams has to share more than
 * over (a + b) / (over + of) of them; and if that is at least n, it has at least one of any a - n + 1 trigrams of the
 * term. The larger the text, the more it has to share: hence the classes. Long lists of numbers cannot be similar to
 * what people type, and are not even read.
 */
export function probe(
  trigrams: readonly number[],
  { over, of }: Threshold,
  frequencyOf: (trigram: number) => number,
): number[] {
  const rareFirst = [...trigrams].sort((a, b) => frequencyOf(a) - frequencyOf(b));
  return classes.flatMap((min, index) => {
    const max = (classes[index + 1] ?? Number.POSITIVE_INFINITY) - 1;
    const needed = Math.floor((over * (trigrams.length + min)) / (over + of)) + 1;
    if (needed > Math.min(trigrams.length, max)) return [];
    const top = (index + 1) << classBit;
    return rareFirst.slice(0, trigrams.length - needed + 1).map((trigram) => trigram + top);
  });
}
