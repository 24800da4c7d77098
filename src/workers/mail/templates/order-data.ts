import type { Language } from "../../../db/entities/accounts/user.ts";
import { shopUrl } from "../../../services/shop-url.ts";
import type { MailTemplate } from "../compose.ts";
import { formatPieces, formatRub, formatTime, shortId } from "../format.ts";
import { type Shipping, shippingFacts } from "./shipping.ts";

export interface MailedLine {
  name: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
  priceRub: number;
}

/** The data of an order in mails. */
export interface MailedOrder extends Shipping {
  id: string;
  createdAt: Date;
  firstName: string;
  lastName: string;
  phone: string;
  email: string;
  note: string | null;
  lines: readonly MailedLine[];
}

const words = {
  ru: { order: "Заказ", date: "Дата", total: "Итого" },
  en: { order: "Order", date: "Date", total: "Total" },
};

/** The total of a line, without a line break in it. */
const sumOf = (quantity: number, priceRub: number, language: Language) =>
  `${formatPieces(quantity, language)} × ${formatRub(priceRub, language)}`.replaceAll(" ", "\u00a0");

/** The lines of an order, as a part of a mail. */
export function goods(lines: readonly MailedLine[], language: Language): Pick<MailTemplate, "lines" | "total"> {
  const sum = lines.reduce((total, { quantity, priceRub }) => total + quantity * priceRub, 0);
  return {
    lines: lines.map(({ name, brand, manufacturerNumber, quantity, priceRub }) => ({
      name,
      detail: `${brand} ${manufacturerNumber} · ${sumOf(quantity, priceRub, language)}`,
      amount: formatRub(quantity * priceRub, language),
    })),
    total: { label: words[language].total, value: formatRub(sum, language) },
  };
}

/** The facts that identify an order. */
export function orderName({ id, createdAt }: MailedOrder, language: Language) {
  const labels = words[language];
  return [
    { label: labels.order, value: shortId(id) },
    { label: labels.date, value: formatTime(createdAt, language) },
  ];
}

/** The facts that identify an order, and how its goods travel. */
export function orderFacts(order: MailedOrder, language: Language, reader?: "customer" | "staff") {
  return [...orderName(order, language), ...shippingFacts(order, language, reader)];
}

export const exampleOrder: MailedOrder = {
  id: "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071",
  createdAt: new Date("2026-11-22T16:29:13Z"),
  firstName: "Анна",
  lastName: "Петрова",
  phone: "+79780424666",
  email: "anna@example.com",
  note: "Позвоните перед доставкой",
  shippingMethod: "CARGO",
  shippingCompany: "CDEK",
  country: "RUS",
  postalCode: "299000",
  city: "Севастополь",
  address: null,
  street: "ул. Хрусталёва",
  house: "74Ж",
  url: `${shopUrl}/orders/2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071`,
  lines: [
    {
      name: "Колодки тормозные передние Ford Focus III",
      brand: "ATE",
      manufacturerNumber: "13.0460-2722.2",
      quantity: 1,
      priceRub: 4350,
    },
    { name: "Фильтр масляный", brand: "MANN", manufacturerNumber: "W 7008", quantity: 2, priceRub: 690 },
  ],
};
