import { type BookRule, bookRules, findDisagreements } from "../db/dao/payments/books.ts";
import { connectForMigration } from "../db/data-source.ts";
import type { Answer, CommandContext, DatabaseAccess } from "./command.ts";

/**
 * Checks each rule of docs/money.md on one state of the database, and names what breaks it; changes nothing. Throws
 * `StartUpError` when Postgres cannot be used.
 */
export async function checkBooks({ database }: CommandContext): Promise<Answer> {
  const results = await readBooks(database());
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

type Result = BookRule & Awaited<ReturnType<typeof findDisagreements>>;

/** The books of an old shop take longer to read than a request may, so this needs a connection without its limits. */
async function readBooks({ url, isPooled }: DatabaseAccess): Promise<Result[]> {
  const db = await connectForMigration(url, { isPooled, name: "tcf books" });
  try {
    return await db.transaction("REPEATABLE READ", async (tx) => {
      await tx.query("SET TRANSACTION READ ONLY");
      // Its joins of whole tables then stay in memory: half the time at 200,000 orders.
      await tx.query("SET LOCAL work_mem = '256MB'");
      const results: Result[] = [];
      for (const rule of bookRules) results.push({ ...rule, ...(await findDisagreements(tx, rule)) });
      return results;
    });
  } finally {
    await db.destroy();
  }
}
