import { type EntityManager, In, IsNull } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { type CustomerType, type Role, User } from "../../entities/accounts/user.ts";
import { containing } from "../../like.ts";

export interface NewUser {
  id: string;
  email: string;
  /** False: the e-mail is not verified as the user's; null: unknown. */
  emailVerified: boolean | null;
  firstName: string;
  lastName: string;
}

/** What the identity provider knows of a user, and when it last changed there, if the provider told. */
export interface KnownUser extends NewUser {
  updatedAt: Date | null;
}

type Changeable =
  | "email"
  | "emailVerified"
  | "firstName"
  | "lastName"
  | "isActive"
  | "role"
  | "customerType"
  | "mailing"
  | "language"
  | "phone"
  | "city"
  | "note"
  | "shippingMethod"
  | "shippingCompany";

/** New values of a user; undefined ones stay unchanged. */
export type UserChange = { [Key in Changeable]?: User[Key] | undefined };

export interface UserFilter {
  /** Part of a name, the phone number or the e-mail; empty matches every user. */
  searchTerm: string;
  customerType?: CustomerType | undefined;
  role?: Role | undefined;
}

/** Keeps the state of an address until the address changes or a new state arrives. */
const verifiedSql = `coalesce(excluded.email_verified,
  CASE WHEN lower(excluded.email) = lower(known.email) THEN known.email_verified END)`;
/** A clock that is ahead must not make every later event look old. */
const upsertSql = `
  INSERT INTO users AS known (id, email, first_name, last_name, identity_updated_at, email_verified)
  VALUES ($1, $2, $3, $4, CASE WHEN $5::timestamptz > now() THEN now() ELSE $5 END, $6)
  ON CONFLICT (id) DO UPDATE
    SET email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name, updated_at = now(),
        email_verified = ${verifiedSql},
        identity_updated_at = coalesce(excluded.identity_updated_at, known.identity_updated_at)
    WHERE known.erased_at IS NULL
      AND (excluded.identity_updated_at >= known.identity_updated_at) IS NOT FALSE
      AND (known.email, known.first_name, known.last_name, known.email_verified, known.identity_updated_at)
          IS DISTINCT FROM (excluded.email, excluded.first_name, excluded.last_name, ${verifiedSql},
           coalesce(excluded.identity_updated_at, known.identity_updated_at))
  RETURNING xmax = 0 AS "isNew"`;

export type Reader = Pick<User, "id" | "email" | "language">;

const wantsNewsletters = `mailing AND is_active AND email_verified IS NOT FALSE AND customer_type = ANY($1)
  AND NOT EXISTS (SELECT 1 FROM mail_suppressions WHERE address = lower(users.email))`;

/** Users as rows; a missing one is `null`, never an error. */
export const users = {
  /** Each of these, in their order; null for one that was deleted. */
  async findByIds(tx: EntityManager, ids: readonly string[]): Promise<(User | null)[]> {
    const byId = new Map((await tx.findBy(User, { id: In(ids) })).map((user) => [user.id, user]));
    return ids.map((id) => byId.get(id) ?? null);
  },

  findById: (tx: EntityManager, id: string) => tx.findOneBy(User, { id }),

  /**
   * Finds by the address in any case: the active user who has it, else the newest inactive one. Never finds a user
   * whose address is not verified.
   */
  findByEmail: (tx: EntityManager, email: string) =>
    tx
      .createQueryBuilder(User, "user")
      .where("lower(user.email) = lower(:email) AND user.email_verified IS NOT FALSE", { email })
      .orderBy("user.is_active", "DESC")
      .addOrderBy("user.created_at", "DESC")
      .limit(1)
      .getOne(),

  /** The id of the other active user who has this address, in any case, as verified or of unknown state. */
  async otherOwner(tx: EntityManager, { id, email }: Pick<User, "id" | "email">): Promise<string | undefined> {
    const rows: Pick<User, "id">[] = await tx.query(
      `SELECT id FROM users WHERE lower(email) = lower($1) AND is_active AND email_verified IS NOT FALSE AND id <> $2`,
      [email, id],
    );
    return rows[0]?.id;
  },

  /** Role and state of those of these users that exist, by id. */
  async rights(tx: EntityManager, ids: readonly string[]): Promise<Map<string, Pick<User, "role" | "isActive">>> {
    const rows: Pick<User, "id" | "role" | "isActive">[] = await tx.query(
      'SELECT id, role, is_active AS "isActive" FROM users WHERE id = ANY($1)',
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row]));
  },

  findByClerkId: (tx: EntityManager, clerkId: string) => tx.findOneBy(User, { clerkId }),

  /** Recipients of newsletters, in the order of ids, after the given one. */
  mailingPage(
    tx: EntityManager,
    { customerTypes, after, limit }: { customerTypes: CustomerType[]; after: string | null; limit: number },
  ): Promise<Reader[]> {
    return tx.query(
      `SELECT id, email, language FROM users WHERE ${wantsNewsletters} AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT $3`,
      [customerTypes, after, limit],
    );
  },

  async countMailing(tx: EntityManager, customerTypes: CustomerType[]): Promise<number> {
    const [row] = await tx.query(`SELECT count(*)::int AS count FROM users WHERE ${wantsNewsletters}`, [customerTypes]);
    return row.count;
  },

  /** Unsubscribes the users of this address from newsletters. */
  async endMailing(tx: EntityManager, email: string) {
    await tx.query("UPDATE users SET mailing = false WHERE lower(email) = lower($1) AND mailing", [email]);
  },

  /** Locks the row until the transaction ends. Other transactions may still insert rows that refer to the user. */
  lock: (tx: EntityManager, id: string) => tx.findOne(User, { where: { id }, lock: { mode: "for_no_key_update" } }),

  /** One page, newest first, and the total; two statements. */
  list(tx: EntityManager, { searchTerm, customerType, role }: UserFilter, page: { limit: number; offset: number }) {
    const query = tx
      .createQueryBuilder(User, "user")
      .orderBy("user.created_at", "DESC")
      .addOrderBy("user.id", "DESC")
      .limit(page.limit)
      .offset(page.offset);
    if (customerType) query.andWhere("user.customer_type = :customerType", { customerType });
    if (role) query.andWhere("user.role = :role", { role });
    if (searchTerm) {
      query.andWhere(
        "(user.first_name ILIKE :term OR user.last_name ILIKE :term OR user.phone ILIKE :term OR user.email ILIKE :term)",
        { term: containing(searchTerm) },
      );
    }
    return query.getManyAndCount();
  },

  count: (tx: EntityManager, { role }: { role?: Role | undefined }) => tx.countBy(User, role ? { role } : {}),

  async patch(tx: EntityManager, id: string, change: UserChange) {
    await tx.update(User, { id }, change as QueryDeepPartialEntity<User>);
  },

  /**
   * Adds a customer unless the id exists or was deleted; throws a unique violation when another active user has that
   * e-mail.
   */
  async insertUnlessKnown(tx: EntityManager, { id, email, emailVerified, firstName, lastName }: NewUser) {
    await tx.query(
      `INSERT INTO users (id, email, email_verified, first_name, last_name) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (id) DO NOTHING`,
      [id, email, emailVerified, firstName, lastName],
    );
  },

  /** Gives a user without a verified e-mail a verified one; throws a unique violation when another active user has it. */
  async prove(tx: EntityManager, id: string, email: string) {
    const values = { email, emailVerified: true };
    await tx.update(User, { id, emailVerified: false }, values);
  },

  /** Records that a user's e-mail is not verified, unless the e-mail has changed or its state is known by now. */
  async doubt(tx: EntityManager, { id, email }: Pick<User, "id" | "email">) {
    await tx.update(User, { id, email, emailVerified: IsNull() }, { emailVerified: false });
  },

  /**
   * Adds a customer (true) or updates one with newer data (false); ignores one who was deleted; throws a unique
   * violation when another active user has that e-mail.
   */
  async upsert(tx: EntityManager, user: KnownUser): Promise<boolean> {
    const { id, email, firstName, lastName, updatedAt, emailVerified } = user;
    const values = [id, email, firstName, lastName, updatedAt, emailVerified];
    const rows: { isNew: boolean }[] = await tx.query(upsertSql, values);
    return rows[0]?.isNew ?? false;
  },

  /** Disables a user for good; may be repeated. */
  async markErased(tx: EntityManager, id: string) {
    await tx.query("UPDATE users SET is_active = false, erased_at = now() WHERE id = $1 AND erased_at IS NULL", [id]);
  },

  /** Disables a user and leaves a tombstone, even for an unknown id, so that nothing inserts it again. */
  async bury(tx: EntityManager, id: string) {
    await tx.query("INSERT INTO deleted_users (id) VALUES ($1) ON CONFLICT DO NOTHING", [id]);
    await tx.update(User, { id, isActive: true }, { isActive: false });
  },

  /** Removes the tombstone. */
  async unbury(tx: EntityManager, id: string) {
    await tx.query("DELETE FROM deleted_users WHERE id = $1", [id]);
  },
};
