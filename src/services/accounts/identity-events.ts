import type { EntityManager } from "typeorm";
import { type KnownUser, users } from "../../db/dao/accounts/users.ts";
import { ConflictError } from "../../errors.ts";
import { violatedUnique } from "../../platform/postgres/errors.ts";
import { requestCountedMails } from "../mail/mails.ts";

/**
 * Stores what the identity provider reports of a user, and inserts a new one; may be repeated. An event that is older
 * than the last one, or that arrives after the user was deleted, changes nothing. A newly registered user gets a
 * welcome mail, at most `maxMails` a day to one mailbox, unless the address is known to be unverified. Throws when another
 * active user has the e-mail.
 */
export async function takeOverUser(
  tx: EntityManager,
  user: KnownUser,
  { hasRegistered, maxMails }: { hasRegistered: boolean; maxMails: number },
) {
  const isNew = await users.upsert(tx, user).catch((error: unknown) => {
    if (violatedUnique(error) === undefined) throw error;
    throw new ConflictError(
      `The e-mail of user '${user.id}' belongs to another active user; an admin has to deactivate that one, or change ` +
        "its e-mail, first",
    );
  });
  const { id: userId, email: recipient, emailVerified } = user;
  // A user may register with another person's address.
  if (!isNew || !hasRegistered || emailVerified === false) return;
  const request = { event: `welcome:${userId}`, kind: "welcome", recipient, parameters: { userId } } as const;
  await requestCountedMails(tx, [{ ...request, act: "registration", maxMails }]);
}

/**
 * Disables a user whom the identity provider has deleted, for good: neither a token that is still valid nor a late
 * event inserts the id again. Orders and history keep the row, if there is one. May be repeated.
 */
export async function buryUser(tx: EntityManager, id: string) {
  await users.bury(tx, id);
}
