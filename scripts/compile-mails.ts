import { readFileSync, writeFileSync } from "node:fs";
import { importTool } from "./side-packages.ts";

const [source, target] = ["src/workers/mail/layout.mjml", "src/workers/mail/layout.ts"];

/** The part of MJML 5 that we use. */
interface Mjml {
  default(
    source: string,
    options: { validationLevel: "strict" },
  ): Promise<{ html: string; errors: { formattedMessage: string }[] }>;
}

/** The module that `target` has to be: the layout of all mails as HTML with Handlebars in it. */
export async function compiledLayout(): Promise<string> {
  const { default: mjml2html } = await importTool<Mjml>("mjml");
  const { html, errors } = await mjml2html(readFileSync(source, "utf8"), { validationLevel: "strict" });
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const lines = html.split("\n").map((line) => line.trim());
  const text = lines.filter(Boolean).join("\n");
  return `/** Made from layout.mjml by \`npm run mail:compile\`; do not change it by hand. */\nexport const layout = ${JSON.stringify(text)};\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(target, await compiledLayout());
