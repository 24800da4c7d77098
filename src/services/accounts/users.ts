import type { EntityManager } from "typeorm";
import { type UserChange, users } from "../../db/dao/accounts/users.ts";
import type { Role, User } from "../../db/entities/accounts/user.ts";
import { ConflictError, ForbiddenError, NotFoundError } from "../../errors.ts";
import { violatedUnique } from "../../platform/postgres/errors.ts";

/** The subject of a valid token. */
export interface Subject {
  key: "id" | "clerk_id";
  value: string;
  email: string | null;
  /** Whether the token calls the e-mail verified; null: it does not tell. */
  emailVerified: boolean | null;
  firstName: string;
  lastName: string;
}

/**
 * The user of a valid token. An unknown id with an e-mail is inserted as a customer (its sign-up event was lost),
 * unless it was deleted; an e-mail that the token calls unverified is stored as that, unless its state was known
 * before, and blocks no other user. Null when there is no such user and none can be made.
 */
export async function userOfToken(tx: EntityManager, subject: Subject) {
  if (subject.key === "clerk_id") return users.findByClerkId(tx, subject.value);
  const known = await users.findById(tx, subject.value);
  // A token outlives the account, and the id stays taken.
  if (known?.erasedAt) return null;
  const { value: id, email, emailVerified, firstName, lastName } = subject;
  if (!email) return known;
  try {
    if (!known) await users.insertUnlessKnown(tx, { id, email, emailVerified, firstName, lastName });
    else if (known.emailVerified === false && emailVerified) await users.prove(tx, id, email);
    else if (isNewlyDoubted(known, subject)) await users.doubt(tx, known);
    else return known;
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    return known;
  }
  return users.findById(tx, id);
}

/** Events may lack the state of an address that tokens have. For staff an admin decides about addresses. */
function isNewlyDoubted({ role, email, emailVerified }: User, said: Subject) {
  if (role !== "USER" || emailVerified !== null || said.emailVerified !== false) return false;
  return said.email?.toLowerCase() === email.toLowerCase();
}

/** A user by id; throws when there is none. */
export async function getUser(tx: EntityManager, id: string): Promise<User> {
  return (await users.findById(tx, id)) ?? Promise.reject(new NotFoundError("User not found"));
}

/** A user by the second identity provider's id; throws when there is none. */
export async function getUserByClerkId(tx: EntityManager, clerkId: string): Promise<User> {
  const missing = () => Promise.reject(new NotFoundError(`User with clerk_id ${clerkId} not found.`));
  return (await users.findByClerkId(tx, clerkId)) ?? missing();
}

/** Fields that only an admin may change, by their names on the wire. */
const adminsOnly = { role: "role", isActive: "is_active", email: "email" } as const;

/**
 * Gives a locked user (`users.lock`) new values and returns the new row; equal values change nothing. Throws when only
 * an admin may change one of them, and when another active user has the e-mail.
 */
export async function changeUser(
  tx: EntityManager,
  { user, change, by }: { user: User; change: UserChange; by: Role },
) {
  const isNew = ([key, value]: [string, unknown]) => value !== undefined && user[key as keyof UserChange] !== value;
  const changed = Object.fromEntries(Object.entries(change).filter(isNew)) as UserChange;
  if (Object.keys(changed).length === 0) return user;
  if (user.erasedAt) throw new ConflictError(`User '${user.id}' is erased; their data cannot be entered any more`);
  if (by !== "ADMIN") refuseAdminsOnly(changed, by);
  // An address from an admin counts as verified, whatever the provider reported of the one before.
  const whole = changed.email === undefined ? changed : { ...changed, emailVerified: null };
  if (changed.isActive) {
    if (changed.email === undefined) await refuseSecondActive(tx, user);
    await users.unbury(tx, user.id);
  }
  const { email = user.email } = changed;
  await users.patch(tx, user.id, whole).catch((error: unknown) => {
    if (violatedUnique(error) === undefined) throw error;
    throw new ConflictError(`A user with the e-mail '${email}' exists already; give another one`);
  });
  return getUser(tx, user.id);
}

/** A person may have signed up again since the account was deactivated. */
async function refuseSecondActive(tx: EntityManager, user: User) {
  const other = user.emailVerified === false ? undefined : await users.otherOwner(tx, user);
  if (other === undefined) return;
  throw new ConflictError(
    `User '${user.id}' cannot be activated: the active user '${other}' has the same e-mail '${user.email}'; deactivate ` +
      "that one, or give one of them another e-mail",
  );
}

function refuseAdminsOnly(changed: UserChange, by: Role) {
  const refused = Object.entries(adminsOnly).flatMap(([key, name]) => (key in changed ? [`'${name}'`] : []));
  if (refused.length === 0) return;
  throw new ForbiddenError(`Access denied: role ${by} is not allowed to change ${refused.join(", ")}.`);
}
