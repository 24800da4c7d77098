import { createMailer } from "../../../src/platform/mailer.ts";
import type { MailPayload } from "./kinds.ts";

const domain = "chaos.example";

/** The product's mailer, towards the sink. */
export function createChaosMailer(port: number) {
  const from = { name: "Chaos", address: `chaos@${domain}` };
  return createMailer({ host: "127.0.0.1", port, from, security: "none" });
}

/** A line that faults cut in the middle. */
const text = "One line of a mail that is long enough to be cut in the middle.\n".repeat(20);

/** The Message-ID of a mail follows from its job's key. */
export const mailOf = ({ ref, to }: MailPayload) => ({
  ...{ messageId: `${ref}@${domain}`, to, subject: "Chaos" },
  ...{ text, html: "<p>Chaos</p>" },
});

export const messageIdOf = (ref: string) => `<${ref}@${domain}>`;
