import type { EntityManager } from "typeorm";
import { MailSuppression } from "../../entities/mail/mail-suppression.ts";

export type NewSuppression = Pick<MailSuppression, "address" | "reason" | "detail" | "createdBy">;

/** Addresses that get no mail, in any case of letters. */
export const mailSuppressions = {
  find: (tx: EntityManager, address: string) => tx.findOneBy(MailSuppression, { address: address.toLowerCase() }),

  /** One page, newest first, and the total. */
  list: (tx: EntityManager, { limit, offset }: { limit: number; offset: number }) =>
    tx.findAndCount(MailSuppression, { order: { createdAt: "DESC", address: "ASC" }, take: limit, skip: offset }),

  /** Adds an address; a listed one keeps its first reason, unless that one stopped only bulk mail. */
  async add(tx: EntityManager, { address, reason, detail, createdBy }: NewSuppression) {
    await tx.query(
      `INSERT INTO mail_suppressions (address, reason, detail, created_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (address) DO UPDATE
       SET reason = excluded.reason, detail = excluded.detail, created_by = excluded.created_by, created_at = now()
       WHERE mail_suppressions.reason = 'unsubscribed' AND excluded.reason <> 'unsubscribed'`,
      [address.toLowerCase(), reason, detail, createdBy],
    );
  },

  /** Removes an address; false when it was not on the list. */
  async remove(tx: EntityManager, address: string): Promise<boolean> {
    const { affected } = await tx.delete(MailSuppression, { address: address.toLowerCase() });
    return affected === 1;
  },
};
