import { escapeHtml } from "../../platform/escape-html.ts";
import type { Messages } from "./messages.ts";
import { document } from "./page.ts";

/** The page on which an operator gives the reason for an act; `given` is the present one. */
export function reasonPage(messages: Messages, boardPath: string, csrf: string, given: string | undefined) {
  const { reason: texts } = messages;
  const hidden = `<input type="hidden" name="csrf" value="${escapeHtml(csrf)}">`;
  return document(
    messages,
    texts.title,
    `<nav><a href="${boardPath}">&larr; ${texts.back}</a></nav>
<h1>${texts.title}</h1>
<p>${texts.why}</p>
<form method="post" action="${boardPath}/reason">
  ${hidden}
  <label for="reason">${texts.label}</label>
  <input id="reason" name="reason" minlength="3" maxlength="300" required autofocus autocomplete="off" value="${escapeHtml(given ?? "")}">
  <button>${texts.button}</button>
</form>
${given ? `<p>${texts.given}: <strong>${escapeHtml(given)}</strong></p><form method="post" action="${boardPath}/reason">${hidden}<input type="hidden" name="reason" value=""><button>${texts.clear}</button></form>` : ""}`,
  );
}
