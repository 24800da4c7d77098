import { type BookRule, bookRules, findDisagreements } from "../db/dao/payments/books.ts";
import type { Answer, CommandContext } from "./command.ts";

/** A book of an old shop takes longer to read than a request may. */
const timeout = "10min";

/**
 * Checks each rule of docs/money.md on one state of the database, and names what breaks it; changes nothing. Throws as
 * `transact` does.
 */
export async function checkBooks({ transact }: CommandContext): Promise<Answer> {
  const results = await transact(async (tx) => {
    await tx.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await tx.query(`SET LOCAL statement_timeout = '${timeout}'`);
    const found: (BookRule & Awaited<ReturnType<typeof findDisagreements>>)[] = [];
    for (const rule of bookRules) found.push({ ...rule, ...(await findDisagreements(tx, rule)) });
    return found;
  });
  const lines = results.flatMap(({ name, rule, count, examples }) => [
    `${(count === 0 ? "ok" : "PROBLEM").padEnd(8)} ${name.padEnd(18)} ${count === 0 ? rule : `broken ${count} times: ${rule}`}`,
    ...examples.map(({ id, says }) => `${" ".repeat(28)}${id ?? ""} ${says}`),
    ...(count > examples.length ? [`${" ".repeat(28)}and ${count - examples.length} more`] : []),
  ]);
  const isBad = results.some(({ count }) => count > 0);
  const advice = isBad ? ["docs/money.md says what each rule means and how to put it right"] : [];
  const data = { rules: results.map(({ name, count, examples }) => ({ name, count, examples })) };
  return { data, text: [...lines, ...advice].join("\n"), isBad };
}
