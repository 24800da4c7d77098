import { createServer } from "node:http";
import { languages } from "../src/db/entities/accounts/user.ts";
import { type MailKindName, mailKinds } from "../src/jobs/mail-kinds.ts";
import { compose, type MailTemplate } from "../src/workers/mail/compose.ts";
import { samplesOf } from "../src/workers/mail/templates/define-template.ts";
import { templates } from "../src/workers/mail/templates/index.ts";

const port = Number(process.env.PORT ?? 8026);
const unsubscribe = { url: "https://ford-parts.com.ru/unsubscribe", address: "shop@example.com" };

const samples = (kind: MailKindName) => samplesOf(templates[kind]);

/** One kind of mail with one of its samples. */
function preview(kind: MailKindName, sample: string, language: (typeof languages)[number]) {
  const letter = (templates[kind].write[language] as (data: unknown) => MailTemplate)(samples(kind)[sample]);
  return compose(letter, { language, origins: [], unsubscribe: mailKinds[kind].isBulk ? unsubscribe : undefined });
}

const kinds = Object.keys(mailKinds) as MailKindName[];
const index = kinds
  .flatMap((kind) => Object.keys(samples(kind)).map((sample) => `${kind}/${sample}`))
  .map((path) => {
    const links = languages.map(
      (one) => `<a href="/${path}/${one}">${one}</a> (<a href="/${path}/${one}/text">text</a>)`,
    );
    return `<li>${path}: ${links.join(", ")}</li>`;
  })
  .join("");

const server = createServer((request, response) => {
  const [, kind, sample = "", language, part] = String(request.url).split("/");
  const known = kinds.find((one) => one === kind);
  const spoken = languages.find((one) => one === language);
  const isText = part === "text";
  response.setHeader("content-type", `text/${isText ? "plain" : "html"}; charset=utf-8`);
  if (!known || !spoken || !Object.hasOwn(samples(known), sample))
    return void response.end(`<!doctype html><title>Mails</title><ul>${index}</ul>`);
  const { subject, html, text } = preview(known, sample, spoken);
  response.end(isText ? `${subject}\n\n${text}` : html);
});
server.listen(port, "127.0.0.1", () => console.log(`Mails with example data: http://127.0.0.1:${port}`));
