import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { mails } from "../db/dao/mails.ts";
import { enqueue } from "../db/outbox.ts";
import { sendMail } from "../jobs/send-mail.ts";

/** Promises the mail with the link to the day's price list; returns the id of its job. */
export async function requestPriceListMail(tx: EntityManager, { recipient }: { recipient: string }) {
  const id = uuidv7();
  await mails.insert(tx, { id, kind: "price-list", recipient, parameters: {} });
  const jobId = await enqueue(tx, sendMail, { mailId: id });
  await mails.attachJob(tx, id, jobId);
  return jobId;
}
