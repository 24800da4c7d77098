/**
 * SQL of the first UUIDv7 of a moment `days` days ago: 48 bits of milliseconds, then zeros; `uuidv7()` fits no index.
 */
export function firstIdSince(days: string) {
  const ms = `lpad(to_hex(floor(extract(epoch FROM now() - ${days} * interval '1 day') * 1000)::bigint), 12, '0')`;
  return `(${ms} || '70008000000000000000')::uuid`;
}
