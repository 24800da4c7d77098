import type { Language, ShippingMethod } from "../../../db/entities/accounts/user.ts";
import type { Order } from "../../../db/entities/orders/order.ts";
import { withoutLinks } from "../../../services/mail/web-addresses.ts";
import type { MailTemplate } from "../compose.ts";

/** How the goods of an order travel, and the address of its page; undefined: the storefront has none. */
export interface Shipping
  extends Pick<
    Order,
    "shippingMethod" | "shippingCompany" | "country" | "postalCode" | "city" | "address" | "street" | "house"
  > {
  url: string | undefined;
}

const words = {
  ru: { delivery: "Доставка", address: "Адрес", open: "Открыть заказ" },
  en: { delivery: "Delivery", address: "Address", open: "Open the order" },
} as const;

const methods: Record<ShippingMethod, Record<Language, string>> = {
  SELF_PICKUP: { ru: "Самовывоз", en: "Pick-up" },
  CARGO: { ru: "Транспортная компания", en: "Carrier" },
  OTHER: { ru: "Другой способ", en: "Another way" },
};

/** Codes of the storefront by what people call them; other texts are shown as they are. */
const names: Readonly<Record<string, Record<Language, string>>> = {
  CDEK: { ru: "СДЭК", en: "CDEK" },
  KIT: { ru: "КИТ", en: "KIT" },
  ARM: { ru: "Армения", en: "Armenia" },
  BLR: { ru: "Беларусь", en: "Belarus" },
  KAZ: { ru: "Казахстан", en: "Kazakhstan" },
  RUS: { ru: "Россия", en: "Russia" },
};

/**
 * Method, carrier and address of an order, as facts of a mail. Strangers may have written them and named the address of
 * a third person, so mails to customers show them without links; staff sees them as they are.
 */
export function shippingFacts(order: Shipping, language: Language, reader: "customer" | "staff" = "customer") {
  const { delivery, address } = words[language];
  const name = (code: string | null) => (code && Object.hasOwn(names, code) ? names[code]?.[language] : code);
  const joined = (...parts: (string | null | undefined)[]) => {
    const text = parts.filter((part) => part?.trim()).join(", ");
    return reader === "staff" ? text : withoutLinks(text);
  };
  const { shippingMethod, postalCode, city, street, house } = order;
  const isCollected = shippingMethod === "SELF_PICKUP";
  const where = order.address ? [order.address] : [street, house];
  const to = isCollected ? "" : joined(name(order.country), postalCode, city, ...where);
  const how = joined(methods[shippingMethod][language], isCollected ? null : name(order.shippingCompany));
  return [{ label: delivery, value: how }, ...(to ? [{ label: address, value: to }] : [])];
}

/** The button that leads to the page of an order, if there is one. */
export function orderButton({ url }: Pick<Shipping, "url">, language: Language): Pick<MailTemplate, "button"> {
  return url === undefined ? {} : { button: { label: words[language].open, url } };
}
