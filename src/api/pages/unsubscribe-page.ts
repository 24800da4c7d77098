/** The page behind the unsubscribe link of a mail: asks, or says that it is done. */
export function unsubscribePage(isDone: boolean) {
  const body = isDone
    ? "<h1>Вы отписаны от рассылки</h1><p>You are unsubscribed. Письма о ваших заказах будут приходить и дальше.</p>"
    : '<form method="post"><h1>Отписаться от рассылки?</h1><p>Unsubscribe from our price lists?</p>' +
      "<button>Отписаться / Unsubscribe</button></form>";
  return `<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>ТЦ Форд</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#eef1f5, #14181f); }
  main { width: min(26rem, 100vw - 4rem); padding: 2rem; border-radius: 12px; background: light-dark(#fff, #1e242d); }
  h1 { margin: 0 0 .25rem; font-size: 1.35rem; }
  button { width: 100%; padding: .7rem; border: 0; border-radius: 8px; font: inherit; font-weight: 600; color: #fff;
           background: #12397a; cursor: pointer; }
</style>
</head>
<body><main>${body}</main></body>
</html>
`;
}
