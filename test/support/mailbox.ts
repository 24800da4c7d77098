import { afterAll, beforeAll } from "vitest";
import { type Mailbox, startMailbox } from "../../dev/mailbox/mailbox.ts";
import type { MailerOptions } from "../../src/platform/mailer.ts";

/** A mail as the mailbox shows it. */
export interface ReceivedMail {
  id: string;
  from: string;
  recipients: string[];
  subject: string;
  message_id: string;
  html: string;
  text: string;
  headers: { name: string; value: string }[];
}

/** A mailbox for one test file alone: an SMTP server that keeps what it gets. */
export function useMailbox() {
  let running: Mailbox;
  beforeAll(async () => {
    running = await startMailbox({ smtpPort: 0, httpPort: 0 });
  });
  afterAll(() => running.stop());

  const read = async (path: string) => (await fetch(running.pageUrl + path)).json();
  return {
    /** Options of a mailer that sends there. */
    mailerOptions(): MailerOptions {
      const { hostname, port } = new URL(running.smtpUrl);
      const from = { name: "ТЦ Форд", address: "shop@test.example" };
      return { host: hostname, port: Number(port), from, security: "none" };
    },
    /** Where it says what has arrived. */
    pageUrl: () => running.pageUrl,
    /** Every mail to one recipient, newest first. */
    async mailsTo(recipient: string): Promise<ReceivedMail[]> {
      const summaries = (await read(`/api/messages?recipient=${encodeURIComponent(recipient)}`)) as ReceivedMail[];
      return Promise.all(summaries.map(({ id }) => read(`/api/messages/${id}`) as Promise<ReceivedMail>));
    },
  };
}
