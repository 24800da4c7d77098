import type { PrintedLine } from "../../../db/dao/documents/document-sources.ts";
import type { ShippingMethod } from "../../../db/entities/accounts/user.ts";
import { shownPhone } from "../../shown-phone.ts";
import type { BlockOf, Cell, Column } from "./layout.ts";

interface Contact {
  firstName: string;
  lastName: string;
  phone: string | null;
  city: string | null;
  shippingMethod: ShippingMethod | null;
  shippingCompany: string | null;
}

const methods: Record<ShippingMethod, string> = {
  SELF_PICKUP: "Самовывоз",
  CARGO: "Транспортная компания",
  OTHER: "Другой способ",
};

/** The four lines about the customer at the top of a document. */
export function contactFields({ firstName, lastName, phone, city, shippingMethod, shippingCompany }: Contact) {
  const method = shippingMethod && methods[shippingMethod];
  return {
    name: { label: "ФИО", value: words(lastName, firstName) },
    phone: { label: "Телефон", value: shownPhone(phone ?? "", "ru") },
    city: { label: "Город", value: city ?? "" },
    shipping: { label: "Доставка", value: [method, shippingCompany].filter(Boolean).join(", ") },
  };
}

const words = (...parts: string[]) => parts.filter((part) => part.trim()).join(" ");

const columns: readonly Column[] = [
  { title: "#", kind: "count", width: 6 },
  { title: "Категория", kind: "text", width: 26 },
  { title: "Название", kind: "text", width: 33 },
  { title: "Бренд", kind: "text", width: 14 },
  { title: "Номер", kind: "text", width: 16 },
  { title: "Цена", kind: "money", width: 14 },
  { title: "Кол-во", kind: "count", width: 10 },
  { title: "Сум.", kind: "money", width: 17 },
];

/** The table of goods that orders, invoices and waybills share, with its total. */
export function linesTable(lines: readonly PrintedLine[]): BlockOf<"table"> {
  const rows = lines.map(({ category, name, brand, manufacturerNumber, priceRub, quantity }, index): Cell[] => {
    return [index + 1, category, name, brand, manufacturerNumber, priceRub, quantity, priceRub * quantity];
  });
  return { type: "table", columns, rows, totals: [{ label: "Итого", value: totalOf(lines), kind: "money" }] };
}

/** The total price of all lines. */
export function totalOf(lines: readonly PrintedLine[]): number {
  return lines.reduce((sum, { priceRub, quantity }) => sum + priceRub * quantity, 0);
}

/** The latest change of a document's own row and its lines. */
export function latest(owner: { updatedAt: Date }, lines: readonly PrintedLine[]): Date {
  return new Date(Math.max(...[owner, ...lines].map(({ updatedAt }) => updatedAt.getTime())));
}
