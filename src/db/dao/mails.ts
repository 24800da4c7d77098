import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Mail } from "../entities/mail.ts";

export type NewMail = Pick<Mail, "id" | "kind" | "recipient" | "parameters">;

/** Mails that were asked for; their text is made when they are sent. */
export const mails = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Mail, { id }),

  async insert(tx: EntityManager, row: NewMail) {
    await tx.insert(Mail, row as QueryDeepPartialEntity<Mail>);
  },

  async attachJob(tx: EntityManager, id: string, jobId: string) {
    await tx.update(Mail, { id }, { jobId });
  },

  /** Notes that the mail server has taken it, and what it said. */
  async markSent(tx: EntityManager, id: string, serverAnswer: string) {
    await tx.update(Mail, { id }, { serverAnswer, sentAt: () => "now()" });
  },
};
