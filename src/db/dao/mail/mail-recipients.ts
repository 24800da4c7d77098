import type { EntityManager } from "typeorm";
import type { Language } from "../../entities/accounts/user.ts";

/** Whom to write to about something, and in which language. */
export interface MailRecipient {
  /** Of what it is about. */
  id: string;
  email: string;
  language: Language;
}

/** Whom to write to about a new order, and who vouches for the address. */
export interface OrderRecipient extends MailRecipient {
  createdAt: Date;
  /**
   * guest: no login does, or one whose own address is not proved; customer: the login of an account with another address;
   * null: the account has this address, or staff has entered it.
   */
  unprovedBy: "guest" | "customer" | null;
}

/** The address in an order is the one that its mails go to; guests are written to in Russian. */
const orderRecipient = `orders.email, coalesce(account.language, 'ru') AS language`;
const ofOrder = "FROM orders LEFT JOIN users account ON account.id = orders.user_id";

/** Whom to write to about many things, in one statement each; what was deleted since is left out. */
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

  /** Of goods that a customer gets or gives back; what staff books for itself is nobody's business. */
  ofWaybills: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(
      `SELECT waybills.id, coalesce(orders.email, customer.email) AS email, customer.language
       FROM waybills JOIN users customer ON customer.id = waybills.customer_id
       LEFT JOIN orders ON orders.id = waybills.order_id
       WHERE waybills.id = ANY($1) AND waybills.waybill_type <> 'WAYBILL_IN'
         AND (orders.id IS NOT NULL OR waybills.customer_id <> waybills.author_id)`,
      [ids],
    ),

  /** The language of each of these addresses that is a user's, by the address in lower case; proved ones come last. */
  async languages(tx: EntityManager, addresses: readonly string[]): Promise<Map<string, Language>> {
    const rows: { address: string; language: Language }[] = await tx.query(
      "SELECT lower(email) AS address, language FROM users WHERE lower(email) = ANY($1) ORDER BY email_verified IS NOT FALSE",
      [addresses.map((address) => address.toLowerCase())],
    );
    return new Map(rows.map(({ address, language }) => [address, language]));
  },
};
