import { createServer } from "node:http";
import { languages } from "../src/db/entities/accounts/user.ts";
import { type MailKindName, mailKinds } from "../src/jobs/mail-kinds.ts";
import { compose, type MailTemplate } from "../src/workers/mail/compose.ts";
import { templates } from "../src/workers/mail/templates/index.ts";

const port = Number(process.env.PORT ?? 8026);
const unsubscribe = { url: "https://ford-parts.com.ru/unsubscribe", address: "shop@example.com" };

/** One kind of mail with its example data. */
function preview(kind: MailKindName, language: (typeof languages)[number]) {
  const { write, example } = templates[kind];
  const letter = (write[language] as (data: unknown) => MailTemplate)(example);
  return compose(letter, { language, origins: [], unsubscribe: mailKinds[kind].isBulk ? unsubscribe : undefined });
}

const kinds = Object.keys(mailKinds) as MailKindName[];
const index = kinds
  .map((kind) => {
    const links = languages.map(
      (one) => `<a href="/${kind}/${one}">${one}</a> (<a href="/${kind}/${one}/text">text</a>)`,
    );
    return `<li>${kind}: ${links.join(", ")}</li>`;
  })
  .join("");

const server = createServer((request, response) => {
  const [, kind, language, part] = String(request.url).split("/");
  const known = kinds.find((one) => one === kind);
  const spoken = languages.find((one) => one === language);
  const isText = part === "text";
  response.setHeader("content-type", `text/${isText ? "plain" : "html"}; charset=utf-8`);
  if (!known || !spoken) return void response.end(`<!doctype html><title>Mails</title><ul>${index}</ul>`);
  const { subject, html, text } = preview(known, spoken);
  response.end(isText ? `${subject}\n\n${text}` : html);
});
server.listen(port, "127.0.0.1", () => console.log(`Mails with example data: http://127.0.0.1:${port}`));
