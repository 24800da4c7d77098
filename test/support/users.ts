import { randomUUID } from "node:crypto";
import type { DataSource } from "typeorm";
import { User } from "../../src/db/entities/accounts/user.ts";

/** A customer in the database, with whatever the test cares about. */
export async function addUser(db: DataSource, values: Partial<User> = {}): Promise<User> {
  const id = values.id ?? randomUUID();
  await db.manager.insert(User, { id, email: `${id}@test.example`, firstName: "Нина", lastName: "Ли", ...values });
  return db.manager.findOneByOrFail(User, { id });
}
