import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Sends one mail to its one recipient. */
export const sendMail = defineJob({
  name: "send-mail",
  queue: "mail",
  version: 2,
  payload: z.object({ mailId: z.uuid(), newsletterId: z.uuid().optional() }),
  upgrades: { 1: (payload) => payload },
  key: ({ mailId }) => mailId,
  entity: ({ mailId }) => ({ type: "mail", id: mailId }),
  // A newsletter waits in Postgres: Redis has only as many of its mails as go out soon.
  group: ({ newsletterId }) => newsletterId ?? null,
  // For replies about the recipient or the mail: greylists take minutes. A server that refuses the shop costs nothing.
  retry: { attempts: 10, backoffMs: 4_000, outageMs: 3_000 },
  timeoutMs: 90_000,
  description: "Renders one mail and passes it to the mail server.",
});
