import type { Pool, PoolClient } from "pg";
import type { EntityManager } from "typeorm";
import type { PostgresDriver } from "typeorm/driver/postgres/PostgresDriver.js";

export interface FlatStatement {
  /** Statements with a name are planned once for each connection; the name stands for exactly this text. */
  name?: string;
  text: string;
  values: readonly unknown[];
}

/** Each value as Postgres' own text: nothing is parsed that would be serialized again. */
const asText = { getTypeParser: () => (value: unknown) => value };

/**
 * Rows as arrays of texts in the order of the columns, NULL as null: for lists of hundreds of rows, where TypeORM's
 * objects cost more than the query. Reads inside the transaction of `reader`, if it has one.
 */
export async function flatRows<Row>(reader: EntityManager, { name, text, values }: FlatStatement): Promise<Row[]> {
  const driver = reader.dataSource.driver as PostgresDriver;
  const connection: Pool | PoolClient = reader.queryRunner ? await reader.queryRunner.connect() : driver.master;
  const query = { ...(name && { name }), text, values: [...values], rowMode: "array" as const, types: asText };
  const { rows } = await connection.query(query as never);
  return rows as unknown as Row[];
}
