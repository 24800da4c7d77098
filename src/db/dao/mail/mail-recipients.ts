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

/**
 * The one rule of whom a mail addresses. About an order, and what belongs to one: the address in the order, in the
 * language of its account, or Russian of a guest. About anything else: the address and the language of the person whom
 * it concerns. The member of staff who entered it does not count.
 */
const recipient = "coalesce(orders.email, account.email) AS email, coalesce(account.language, 'ru') AS language";
/** The account that the rule looks at; `person` is SQL of the user whom a row without an order concerns. */
const accountOf = (person = "NULL") => `LEFT JOIN users account
  ON account.id = CASE WHEN orders.id IS NULL THEN ${person} ELSE orders.user_id END`;

/** The recipients of mails about many entities, in one statement each; deleted entities are left out. */
export const mailRecipients = {
  ofOrders: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(`SELECT orders.id, ${recipient} FROM orders ${accountOf()} WHERE orders.id = ANY($1)`, [ids]),

  ofNewOrders: (tx: EntityManager, ids: readonly string[]): Promise<OrderRecipient[]> =>
    tx.query(
      `SELECT orders.id, ${recipient}, orders.created_at AS "createdAt",
         CASE WHEN orders.by_guest OR (account.role = 'USER' AND account.email_verified IS FALSE) THEN 'guest'
              WHEN account.role = 'USER' AND lower(account.email) <> lower(orders.email) THEN 'customer'
         END AS "unprovedBy"
       FROM orders ${accountOf()} WHERE orders.id = ANY($1)`,
      [ids],
    ),

  /** Of a deleted order the payment concerns the customer who made it; a guest's has no recipient any more. */
  ofPayments: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(
      `SELECT payments.id, ${recipient}
       FROM payments LEFT JOIN orders ON orders.id = payments.order_id
         LEFT JOIN users payer ON payer.id = payments.created_by AND payer.role = 'USER' ${accountOf("payer.id")}
       WHERE payments.id = ANY($1) AND coalesce(orders.email, account.email) IS NOT NULL`,
      [ids],
    ),

  /**
   * Of goods that a customer receives or returns; bookings of staff for itself concern no customer. A return belongs to
   * the order of the delivery whose goods come back.
   */
  ofWaybills: (tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]> =>
    tx.query(
      `SELECT waybills.id, ${recipient}
       FROM waybills LEFT JOIN waybills delivery ON delivery.id = waybills.return_of
         LEFT JOIN orders ON orders.id = coalesce(waybills.order_id, delivery.order_id)
         ${accountOf("waybills.customer_id")}
       WHERE waybills.id = ANY($1) AND waybills.waybill_type <> 'WAYBILL_IN'
         AND (orders.id IS NOT NULL OR waybills.customer_id <> coalesce(delivery.author_id, waybills.author_id))`,
      [ids],
    ),

  /**
   * The languages of mails to these addresses: of the active user who has the address, in any case of letters, or
   * Russian. A user who has verified it comes before others.
   */
  async languages(tx: EntityManager, addresses: readonly string[]): Promise<(address: string) => Language> {
    const rows: { address: string; language: Language }[] = await tx.query(
      `SELECT lower(email) AS address, language FROM users WHERE lower(email) = ANY($1) AND is_active
       ORDER BY email_verified IS NOT FALSE`,
      [addresses.map((address) => address.toLowerCase())],
    );
    const known = new Map(rows.map(({ address, language }) => [address, language]));
    return (address) => known.get(address.toLowerCase()) ?? "ru";
  },
};
