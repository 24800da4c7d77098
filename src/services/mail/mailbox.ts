import { createHash } from "node:crypto";

/** Domains of each provider under which a name is the same mailbox; the first one represents all. */
const providers = [
  ["gmail.com", "googlemail.com"],
  ["yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "yandex.uz", "yandex.com.tr", "ya.ru", "narod.ru"],
  ["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
  ["icloud.com", "me.com", "mac.com"],
] as const;
const sameAs = new Map<string, string>(providers.flatMap(([first, ...others]) => others.map((one) => [one, first])));

/**
 * A hash of the mailbox of an address, for counting: ignores case, what follows a `+`, and the dots, dashes and
 * underscores that large providers ignore. Two mailboxes that differ only in these count together, which costs them
 * only a share of a limit; counted apart they would be a way to mail one person without end.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1).toLowerCase();
  const [name = ""] = address.slice(0, at).toLowerCase().split("+", 1);
  const mailbox = `${name.replaceAll(/[._-]/g, "")}@${sameAs.get(domain) ?? domain}`;
  return createHash("sha256").update(mailbox).digest("base64url");
}
