import type { DataSource } from "typeorm";

/** How many SQL statements `work` sends through this data source; nothing else may use it meanwhile. */
export async function countStatements(db: DataSource, work: () => Promise<unknown>): Promise<number> {
  const usual = db.logger;
  let statements = 0;
  db.logger = Object.assign(Object.create(usual), {
    logQuery: () => {
      statements++;
    },
  });
  try {
    await work();
  } finally {
    db.logger = usual;
  }
  return statements;
}
