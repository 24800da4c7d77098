import type { EntityManager } from "typeorm";
import { type KnownUser, users } from "../db/dao/users.ts";
import { violatedUnique } from "../db/postgres-errors.ts";
import { ConflictError } from "../errors.ts";
import { requestMails } from "./mails.ts";

/**
 * Takes over what the identity provider says of a user, who is entered when new; may be repeated. What is older than
 * what was taken over last changes nothing. Whoever is new and has just registered is welcomed by mail. Throws when
 * another user has the e-mail.
 */
export async function takeOverUser(tx: EntityManager, user: KnownUser, { hasRegistered }: { hasRegistered: boolean }) {
  const isNew = await users.upsert(tx, user).catch((error: unknown) => {
    if (violatedUnique(error) === undefined) throw error;
    throw new ConflictError(
      `The e-mail of user '${user.id}' belongs to another user; an admin has to change that one's e-mail first`,
    );
  });
  const { id: userId, email: recipient } = user;
  if (isNew && hasRegistered)
    await requestMails(tx, [{ event: `welcome:${userId}`, kind: "welcome", recipient, parameters: { userId } }]);
}

/** Locks a user out whom the identity provider has deleted; orders and history keep the row. May be repeated. */
export async function deactivateUser(tx: EntityManager, id: string) {
  await users.deactivate(tx, id);
}
