import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { startPages } from "./http.ts";
import { keepInMemory, keepOnDisk } from "./mail-files.ts";
import { openMailStore } from "./mail-store.ts";
import { startSmtp } from "./smtp.ts";

/** Ports to listen on (0: a free one), and where mails outlive a restart; without a directory they do not. */
export interface MailboxOptions {
  readonly smtpPort: number;
  readonly httpPort: number;
  readonly directory?: string;
}

/** A running mailbox. */
export interface Mailbox {
  readonly smtpUrl: string;
  readonly pageUrl: string;
  stop(): Promise<void>;
}

const mostMails = 1000;

/**
 * Starts an SMTP server that delivers nothing but keeps the newest 1,000 mails, and a page that shows them, both on
 * 127.0.0.1. Throws when a port is taken, and then neither runs.
 */
export async function startMailbox({ smtpPort, httpPort, directory }: MailboxOptions): Promise<Mailbox> {
  const store = openMailStore(directory === undefined ? keepInMemory() : keepOnDisk(directory), mostMails);
  const smtp = await startSmtp(store, smtpPort);
  const smtpUrl = `smtp://127.0.0.1:${smtp.port}`;
  const pages = await startPages(store, smtpUrl, httpPort).catch(async (error: unknown) => {
    await smtp.stop();
    throw error;
  });
  const { port } = pages.address() as AddressInfo;

  async function stop(): Promise<void> {
    const closed = once(pages, "close");
    pages.close();
    pages.closeAllConnections();
    await Promise.all([closed, smtp.stop()]);
  }

  return { smtpUrl, pageUrl: `http://127.0.0.1:${port}`, stop };
}
