import { createHash } from "node:crypto";

/** Domains of one provider under which a name is the same mailbox. */
const sameAs: Record<string, string> = {
  "googlemail.com": "gmail.com",
  "ya.ru": "yandex.ru",
  "yandex.by": "yandex.ru",
  "yandex.com": "yandex.ru",
  "yandex.kz": "yandex.ru",
};

/**
 * A hash of the mailbox that an address leads to, to count by: without case, what follows a `+`, and the dots, dashes and
 * underscores that large providers ignore. Two mailboxes that only these tell apart count together, which costs them
 * nothing but a share of a limit; taken one by one they would be a way to mail one person without end.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1).toLowerCase();
  const [name = ""] = address.slice(0, at).toLowerCase().split("+", 1);
  const mailbox = `${name.replaceAll(/[._-]/g, "")}@${sameAs[domain] ?? domain}`;
  return createHash("sha256").update(mailbox).digest("base64url");
}
