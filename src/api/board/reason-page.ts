import { escapeHtml } from "../../platform/escape-html.ts";
import type { Words } from "./messages.ts";
import { document } from "./page.ts";

/** The page on which an operator gives the reason for an act; `given` is the present one. */
export function reasonPage(words: Words, boardPath: string, csrf: string, given: string | undefined) {
  const { reason: says } = words;
  const hidden = `<input type="hidden" name="csrf" value="${escapeHtml(csrf)}">`;
  return document(
    words,
    says.title,
    `<nav><a href="${boardPath}">&larr; ${says.back}</a></nav>
<h1>${says.title}</h1>
<p>${says.why}</p>
<form method="post" action="${boardPath}/reason">
  ${hidden}
  <label for="reason">${says.label}</label>
  <input id="reason" name="reason" minlength="3" maxlength="300" required autofocus autocomplete="off" value="${escapeHtml(given ?? "")}">
  <button>${says.button}</button>
</form>
${given ? `<p>${says.given}: <strong>${escapeHtml(given)}</strong></p><form method="post" action="${boardPath}/reason">${hidden}<input type="hidden" name="reason" value=""><button>${says.clear}</button></form>` : ""}`,
  );
}
