import { describe, expect, test } from "vitest";
import { languages } from "../../../src/db/entities/accounts/user.ts";
import { mailKindNames } from "../../../src/jobs/mail-kinds.ts";
import type { MailTemplate } from "../../../src/workers/mail/compose.ts";
import { samplesOf } from "../../../src/workers/mail/templates/define-template.ts";
import { templates } from "../../../src/workers/mail/templates/index.ts";

/** To the addresses that the configuration names, with the words of customers. */
const toStaff = ["order-received-staff", "orders-received-staff", "payment-unmatched-staff", "low-stock"];
/** What we have made ourselves. */
const ours = ["id", "orderId", "url", "listUrl", "day", "status", "fileName", "shippingMethod"].concat([
  "paymentId",
  "state",
  "reason",
  "method",
  "number",
  "deliveryNumber",
]);
const marker = "SPOILT";
/** Where the goods go: shown, for the reader to check, without links. */
const shown = ["country", "postalCode", "city", "address", "street", "house", "shippingCompany"];
const link = "www.evil.example";

/** The example with a marker in each text that is not surely ours. */
function spoilt(value: unknown, key = ""): unknown {
  if (typeof value === "string" && shown.includes(key)) return `${link} ${value}`;
  if (typeof value === "string") return ours.includes(key) ? value : `${marker} ${value}`;
  if (Array.isArray(value)) return value.map((item) => spoilt(item, key));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, spoilt(of, name)]));
}

describe.each(languages)("a mail in the language %s", (language) => {
  const samples = mailKindNames
    .filter((kind) => !toStaff.includes(kind))
    .flatMap((kind) => Object.entries(samplesOf(templates[kind])).map((sample) => [kind, ...sample] as const));
  test.each(samples)("of the kind %s (%s) has no name and no link of a stranger", (kind, _name, data) => {
    const { write } = templates[kind];
    const { lines: _lines, ...letter } = (write[language] as (data: unknown) => MailTemplate)(spoilt(data));
    for (const foreign of [marker, link]) expect(JSON.stringify(letter)).not.toContain(foreign);
  });
});
