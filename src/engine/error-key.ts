const maxLength = 200;

/**
 * The common key of failures with one cause: name and message without ids, numbers, quoted values and addresses, at
 * most 200 characters. Equal keys make one row of `GET /jobs/failures`.
 */
export function errorKeyOf({ name, message }: { name: string; message: string }) {
  const text = message
    .slice(0, 2_000)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replace(/(?<!\S)\S+@\S+/g, "<address>")
    .replace(/'[^']*'|"[^"]*"|«[^«»]*»/g, "<value>")
    .replace(/\d+(?:[.,:]\d+)*/g, "<n>")
    .replace(/\s+/g, " ")
    .trim();
  return `${name}: ${text}`.slice(0, maxLength);
}
