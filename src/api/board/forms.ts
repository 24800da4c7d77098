import { escapeHtml } from "../../platform/escape-html.ts";
import { cardStyle, htmlPage } from "../pages/html-page.ts";
import type { Messages } from "./messages.ts";
import { document } from "./page.ts";

const style = `${cardStyle("#2563eb")}
  label { display: block; font-weight: 600; margin-bottom: .35rem; }
  textarea { width: 100%; box-sizing: border-box; height: 7rem; padding: .6rem; border-radius: 8px; font: 13px/1.4 monospace;
             border: 1px solid light-dark(#c5cdd6, #3a4552); background: transparent; color: inherit; resize: vertical; }
  .problem { padding: .6rem .8rem; border-radius: 8px; color: light-dark(#8a1f11, #ffb4a8); background: light-dark(#fdebe8, #41201b); }`;

/** The page on which a person logs in to Bull Board; `problem` says why the last try failed. */
export function loginPage({ lang, login }: Messages, loginPath: string, problem?: string) {
  const body = `<form class="card" method="post" action="${loginPath}">
  <h1>${login.title}</h1>
  <p>${login.who}</p>
  ${problem ? `<p class="problem" role="alert">${login.refused}: ${escapeHtml(problem)}</p>` : ""}
  <label for="token">${login.label}</label>
  <textarea id="token" name="token" required autofocus spellcheck="false" autocomplete="off"
    placeholder="${login.hint}"></textarea>
  <button>${login.button}</button>
</form>`;
  return htmlPage({ lang, title: `${login.title}: ${login.button}`, style, body });
}

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
