import pg from "pg";
import type { DataSource } from "typeorm";

/** How many statements `work` sends to this database; jobs of a relay or worker count too, so have none. */
export async function countStatements(db: DataSource, work: () => Promise<unknown>): Promise<number> {
  return (await recordStatements(db, work)).length;
}

/** The texts of the statements that `work` sends to this database, over whichever connection. */
export async function recordStatements(db: DataSource, work: () => Promise<unknown>): Promise<string[]> {
  const texts: string[] = [];
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [first] = args as [string | { text: string }];
    if (this.database === databaseOf(db)) texts.push(typeof first === "string" ? first : first.text);
    return (query as (...args: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  try {
    await work();
    return texts;
  } finally {
    pg.Client.prototype.query = query;
  }
}

function databaseOf({ options }: DataSource) {
  return new URL(String("url" in options && options.url)).pathname.slice(1);
}
