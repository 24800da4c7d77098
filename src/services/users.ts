import type { EntityManager } from "typeorm";
import { users } from "../db/dao/users.ts";
import { violatedUnique } from "../db/postgres-errors.ts";

/** Who a valid token says it is about. */
export interface Subject {
  key: "id" | "clerk_id";
  value: string;
  email: string | null;
  firstName: string;
  lastName: string;
}

/**
 * The user of a valid token. An unknown id with an e-mail is entered as a customer (its sign-up event was lost);
 * null when there is no such user and none can be made.
 */
export async function userOfToken(tx: EntityManager, subject: Subject) {
  if (subject.key === "clerk_id") return users.findByClerkId(tx, subject.value);
  const known = await users.findById(tx, subject.value);
  if (known || !subject.email) return known;
  const { value: id, email, firstName, lastName } = subject;
  try {
    await users.insertUnlessKnown(tx, { id, email, firstName, lastName });
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    return null;
  }
  return users.findById(tx, id);
}
