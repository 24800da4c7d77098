import { cardStyle, htmlPage } from "./html-page.ts";

/** The page behind the unsubscribe link of a mail: asks, or says that it is done. */
export function unsubscribePage(isDone: boolean) {
  const body = isDone
    ? '<main class="card"><h1>Вы отписаны от рассылки</h1>' +
      "<p>You are unsubscribed. Письма о ваших заказах будут приходить и дальше.</p></main>"
    : '<main class="card"><form method="post"><h1>Отписаться от рассылки?</h1>' +
      "<p>Unsubscribe from our price lists?</p><button>Отписаться / Unsubscribe</button></form></main>";
  return htmlPage({ lang: "ru", title: "ТЦ Форд", style: cardStyle("#12397a"), body });
}
