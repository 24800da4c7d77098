/** HTML that is safe to send: text only gets into it escaped. */
export interface Html {
  readonly source: string;
}

/** What a template takes: text, other HTML, or lists of HTML. */
export type HtmlValue = string | number | Html | readonly Html[];

/** Template tag that escapes every value but HTML made by itself, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = strings.map((text, index) => text + render(values[index] ?? ""));
  return { source: parts.join("") };
}

function render(value: HtmlValue): string {
  if (typeof value === "object") {
    return isList(value) ? value.map(render).join("") : value.source;
  }
  return String(value).replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function isList(value: Html | readonly Html[]): value is readonly Html[] {
  return Array.isArray(value);
}
