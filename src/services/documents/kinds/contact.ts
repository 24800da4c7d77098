import type { ShippingMethod } from "../../../db/entities/accounts/user.ts";
import { shownPhone } from "../../shown-phone.ts";

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
