import type { Words } from "./messages.ts";

/** The page on which a person logs in to Bull Board; `problem` says why the last try failed. */
export function loginPage({ lang, login }: Words, problem?: string) {
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${login.title}: ${login.button}</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#eef1f5, #14181f); }
  form { width: min(26rem, 100vw - 4rem); padding: 2rem; border-radius: 12px; background: light-dark(#fff, #1e242d);
         box-shadow: 0 8px 30px rgb(0 0 0 / 12%); }
  h1 { margin: 0 0 .25rem; font-size: 1.35rem; }
  p { margin: 0 0 1rem; color: light-dark(#566, #9aa7b5); }
  label { display: block; font-weight: 600; margin-bottom: .35rem; }
  textarea { width: 100%; box-sizing: border-box; height: 7rem; padding: .6rem; border-radius: 8px; font: 13px/1.4 monospace;
             border: 1px solid light-dark(#c5cdd6, #3a4552); background: transparent; color: inherit; resize: vertical; }
  button { margin-top: 1rem; width: 100%; padding: .7rem; border: 0; border-radius: 8px; font: inherit; font-weight: 600;
           color: #fff; background: #2563eb; cursor: pointer; }
  button:hover { background: #1d4fd7; }
  .problem { padding: .6rem .8rem; border-radius: 8px; color: light-dark(#8a1f11, #ffb4a8); background: light-dark(#fdebe8, #41201b); }
</style>
</head>
<body>
<form method="post" action="/admin/queues/login">
  <h1>${login.title}</h1>
  <p>${login.who}</p>
  ${problem ? `<p class="problem" role="alert">${login.refused}: ${escapeHtml(problem)}</p>` : ""}
  <label for="token">${login.label}</label>
  <textarea id="token" name="token" required autofocus spellcheck="false" autocomplete="off"
    placeholder="${login.hint}"></textarea>
  <button>${login.button}</button>
</form>
</body>
</html>
`;
}

/** Text as it may stand anywhere in a page. */
export function escapeHtml(text: string) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
