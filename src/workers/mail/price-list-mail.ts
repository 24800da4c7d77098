import { writtenDay } from "../../services/business-day.ts";
import { escapeHtml } from "./escape-html.ts";

export interface PriceListMail {
  /** The shop's day, as `2026-11-22`. */
  day: string;
  listUrl: string;
  /** Where people unsubscribe with one click; undefined: they have to write. */
  unsubscribeUrl: string | undefined;
  /** Where people write to when they want no more of it. */
  sender: string;
}

const shopUrl = "https://ford-parts.com.ru";
const subject = "ТЦ Форд - рассылка";

/** The mail with the link to the day's price list: subject, both parts, and the header that mail programs unsubscribe with. */
export function priceListMail({ day, listUrl, sender, unsubscribeUrl }: PriceListMail) {
  const date = writtenDay(day);
  const byMail = `mailto:${sender}?subject=unsubscribe`;
  const unsubscribe = unsubscribeUrl ?? byMail;
  return {
    subject,
    text: textPart(date, listUrl, sender),
    html: htmlPart(date, listUrl, unsubscribe),
    headers: unsubscribeHeaders(byMail, unsubscribeUrl),
  };
}

/** What mail programs unsubscribe with (RFC 2369, RFC 8058). */
function unsubscribeHeaders(byMail: string, unsubscribeUrl: string | undefined): Record<string, string> {
  if (unsubscribeUrl === undefined) return { "List-Unsubscribe": `<${byMail}>` };
  return {
    "List-Unsubscribe": `<${unsubscribeUrl}>, <${byMail}>`,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
  };
}

function textPart(date: string, listUrl: string, sender: string) {
  return `Здравствуйте!

Прайс-лист «ТЦ Форд» на ${date}:
${listUrl}

Каталог: ${shopUrl}

--
ТЦ Форд, запчасти для Ford
Чтобы отписаться от рассылки, ответьте на это письмо или напишите на ${sender} с темой «unsubscribe».
`;
}

function htmlPart(date: string, listUrl: string, unsubscribe: string) {
  const [list, away] = [escapeHtml(listUrl), escapeHtml(unsubscribe)];
  return `<!doctype html>
<html lang="ru">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${subject}</title></head>
<body style="margin:0;background:#eef1f5;font-family:Arial,Helvetica,sans-serif;color:#1d2733">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef1f5"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border-radius:8px">
<tr><td style="background:#12397a;border-radius:8px 8px 0 0;padding:20px 28px;color:#ffffff;font-size:20px;font-weight:bold">ТЦ Форд</td></tr>
<tr><td style="padding:28px;font-size:16px;line-height:24px">
<p style="margin:0 0 16px">Здравствуйте!</p>
<p style="margin:0 0 24px">Наш прайс-лист на <b>${escapeHtml(date)}</b> готов: наличие и цены на запчасти для Ford.</p>
<p style="margin:0 0 24px"><a href="${list}" style="display:inline-block;background:#12397a;border-radius:6px;color:#ffffff;padding:12px 24px;text-decoration:none">Скачать прайс-лист</a></p>
<p style="margin:0;font-size:14px;color:#5b6776">Если кнопка не работает, откройте ссылку:<br><a href="${list}" style="color:#12397a;word-break:break-all">${list}</a></p>
</td></tr>
<tr><td style="border-top:1px solid #e3e8ee;padding:16px 28px;font-size:12px;line-height:18px;color:#5b6776">
<a href="${shopUrl}" style="color:#5b6776">ford-parts.com.ru</a> · <a href="${away}" style="color:#5b6776">Отписаться от рассылки</a>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;
}
