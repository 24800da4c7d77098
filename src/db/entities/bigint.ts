/** Postgres' bigint as a number: pg returns text, and no balance comes near 2^53. */
export const bigint = {
  to: (value: number) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};
