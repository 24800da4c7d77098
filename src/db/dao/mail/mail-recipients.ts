import type { EntityManager } from "typeorm";
import type { Language } from "../../entities/accounts/user.ts";

/** The recipient of a mail about an entity, and the language. */
export interface MailRecipient {
  /** Id of the entity. */
  id: string;
  email: string;
  language: Language;
}

/** The recipient of mails about a new order, and who vouches for the address. */
export interface OrderRecipient extends MailRecipient {
  createdAt: Date;
  /**
   * guest: no login does, or one whose own address is not verified; customer: the login of an account with another
   * address; null: the account has this address, or staff has entered it.
   */
  unprovedBy: "guest" | "customer" | null;
}

/** Mails of an order go to the address in the order; guests get them in Russian. */
const orderRecipient = `orders.email, coalesce(account.language, 'ru') AS language`;
const ofOrder = "FROM orders LEFT JOIN users account ON account.id = orders.user_id";

/** The recipients of mails about many entities, in one statement each; deleted entities are left out. */
export const mailRecipients = {
  ofOrders: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(`SELECT orders.id, ${orderRecipient} ${ofOrder} WHERE orders.id = ANY($1)`, [ids]),

  ofNewOrders: (tx: EntityManager, ids: readonly string[]): Promise<OrderRecipient[]> =>
    tx.query(
      `SELECT orders.id, ${orderRecipient}, orders.created_at AS "createdAt",
         CASE WHEN orders.by_guest OR (account.role = 'USER' AND account.email_verified IS FALSE) THEN 'guest'
              WHEN account.role = 'USER' AND lower(account.email) <> lower(orders.email) THEN 'customer'
         END AS "unprovedBy"
       ${ofOrder} WHERE orders.id = ANY($1)`,
      [ids],
    ),

  ofPayments: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(
      `SELECT payments.id, ${orderRecipient} ${ofOrder} JOIN payments ON payments.order_id = orders.id
       WHERE payments.id = ANY($1)`,
      [ids],
    ),

  /** Of goods that a customer receives or returns; bookings of staff for itself concern no customer. */
  ofWaybills: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(
      `SELECT waybills.id, coalesce(orders.email, customer.email) AS email, customer.language
       FROM waybills JOIN users customer ON customer.id = waybills.customer_id
       LEFT JOIN orders ON orders.id = waybills.order_id
       WHERE waybills.id = ANY($1) AND waybills.waybill_type <> 'WAYBILL_IN'
         AND (orders.id IS NOT NULL OR waybills.customer_id <> waybills.author_id)`,
      [ids],
    ),

  /** The language of those addresses that belong to users, by the address in lower case; verified ones come last. */
  async languages(tx: EntityManager, addresses: readonly string[]): Promise<Map<string, Language>> {
    const rows: { address: string; language: Language }[] = await tx.query(
      "SELECT lower(email) AS address, language FROM users WHERE lower(email) = ANY($1) ORDER BY email_verified IS NOT FALSE",
      [addresses.map((address) => address.toLowerCase())],
    );
    return new Map(rows.map(({ address, language }) => [address, language]));
  },
};
