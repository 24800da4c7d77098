import type { DataSource, EntityManager } from "typeorm";
import { bookRules, findDisagreements } from "../../src/db/dao/payments/books.ts";

/** Which rules of the books are broken, and by what; empty when all is well. */
export async function brokenRules(db: Pick<DataSource, "manager"> | { manager: EntityManager }) {
  const broken: Record<string, string[]> = {};
  for (const rule of bookRules) {
    const { examples } = await findDisagreements(db.manager, rule);
    if (examples.length > 0) broken[rule.name] = examples.map(({ id, says }) => `${id}: ${says}`);
  }
  return broken;
}
