import { escapeHtml } from "../../platform/escape-html.ts";

export interface HtmlPage {
  lang: string;
  /** Plain text. */
  title: string;
  /** CSS. */
  style: string;
  /** HTML. */
  body: string;
  /** HTML for the head besides; a page without an icon of its own has none. */
  head?: string;
  /** Absent: search engines are told to leave it out. */
  isIndexed?: boolean;
}

/** A whole page of HTML; the same frame for all pages of the API and the board. */
export function htmlPage({ lang, title, style, body, head = noIcon, isIndexed = false }: HtmlPage): string {
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${isIndexed ? "" : '<meta name="robots" content="noindex">\n'}<title>${escapeHtml(title)}</title>
${head}
<style>
${style}
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const noIcon = '<link rel="icon" href="data:,">';

/** A small card in the middle of the page, with one form or one message; `accent` is the colour of its buttons. */
export const cardStyle = (
  accent: string,
) => `  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#eef1f5, #14181f); }
  .card { width: min(26rem, 100vw - 4rem); padding: 2rem; border-radius: 12px; background: light-dark(#fff, #1e242d);
          box-shadow: 0 8px 30px rgb(0 0 0 / 12%); }
  h1 { margin: 0 0 .25rem; font-size: 1.35rem; }
  p { margin: 0 0 1rem; color: light-dark(#566, #9aa7b5); overflow-wrap: anywhere; }
  strong { color: light-dark(#123, #eef1f5); }
  button { margin-top: .75rem; width: 100%; padding: .7rem; border: 0; border-radius: 8px; font: inherit;
           font-weight: 600; color: #fff; background: ${accent}; cursor: pointer; }
  button:hover { filter: brightness(.9); }
  button:disabled { background: light-dark(#c5cdd6, #3a4552); cursor: default; }`;
