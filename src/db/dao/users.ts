import type { EntityManager } from "typeorm";
import { User } from "../entities/user.ts";

export interface NewUser {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
}

export const users = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(User, { id }),

  findByClerkId: (tx: EntityManager, clerkId: string) => tx.findOneBy(User, { clerkId }),

  /** Holds the row until the transaction ends. Rows that name the user may still be entered by others meanwhile. */
  lock: (tx: EntityManager, id: string) => tx.findOne(User, { where: { id }, lock: { mode: "for_no_key_update" } }),

  /** Adds a customer unless the id is known; throws a unique violation when another one has that e-mail. */
  async insertUnlessKnown(tx: EntityManager, { id, email, firstName, lastName }: NewUser) {
    await tx.query(
      "INSERT INTO users (id, email, first_name, last_name) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
      [id, email, firstName, lastName],
    );
  },
};
