import type { EntityManager } from "typeorm";
import { type KnownUser, users } from "../../db/dao/accounts/users.ts";
import { ConflictError } from "../../errors.ts";
import { violatedUnique } from "../../platform/postgres/errors.ts";
import { requestCountedMails } from "../mail/mails.ts";

/**
 * Takes over what the identity provider says of a user, who is entered when new; may be repeated. What is older than
 * what was taken over last changes nothing, nor does what comes late of a user who was deleted. A new user who has just
 * registered is welcomed by mail, `most` of them on a day at one mailbox, unless it is known not to be proved. Throws when
 * another user has the e-mail.
 */
export async function takeOverUser(
  tx: EntityManager,
  user: KnownUser,
  { hasRegistered, most }: { hasRegistered: boolean; most: number },
) {
  const isNew = await users.upsert(tx, user).catch((error: unknown) => {
    if (violatedUnique(error) === undefined) throw error;
    throw new ConflictError(
      `The e-mail of user '${user.id}' belongs to another user; an admin has to change that one's e-mail first`,
    );
  });
  const { id: userId, email: recipient, emailVerified } = user;
  // Anybody may register with the address of somebody else.
  if (!isNew || !hasRegistered || emailVerified === false) return;
  const request = { event: `welcome:${userId}`, kind: "welcome", recipient, parameters: { userId } } as const;
  await requestCountedMails(tx, [{ ...request, act: "registration", most }]);
}

/**
 * Locks a user out whom the identity provider has deleted, for good: neither a token that lives longer nor an event that
 * comes late enters the id again. Orders and history keep the row, if there is one. May be repeated.
 */
export async function buryUser(tx: EntityManager, id: string) {
  await users.bury(tx, id);
}
