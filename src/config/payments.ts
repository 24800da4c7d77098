import { z } from "zod";
import { StartUpError } from "../errors.ts";
import { url, whole } from "./kinds.ts";

/** Settings of the card provider, for the API and the workers. */
export const paymentSettings = {
  /** The card provider; `test` takes no money and starts in the mode `local` only. */
  PAYMENT_PROVIDER: z.enum(["none", "test", "yookassa"]).default("none"),
  /** Base address of YooKassa's API, or of an emulator. */
  YOOKASSA_API_URL: url.default("https://api.yookassa.ru/v3"),
  /** The shop's number in YooKassa's cabinet. */
  YOOKASSA_SHOP_ID: z
    .string()
    .regex(/^\d{1,20}$/, "is not the number of a shop")
    .optional(),
  /** The shop's secret key there. */
  YOOKASSA_SECRET_KEY: z.string().min(16).optional(),
  /** `at-once`, or `by-staff`: payments are authorized, and taken when staff captures them. */
  YOOKASSA_CAPTURE: z.enum(["at-once", "by-staff"]).default("at-once"),
  /** Page that the customer comes back to after paying; `{order_id}` in it is replaced. */
  YOOKASSA_RETURN_URL: z
    .url({ protocol: /^https?$/, hostname: /.*/ })
    .max(2_000)
    .optional(),
  /** Code of the VAT on receipts, 1 to 12; absent: YooKassa makes no receipts. */
  YOOKASSA_RECEIPT_VAT: whole(1, 12).optional(),
  /** Code of the system of taxation on receipts, 1 to 6; absent: the one of the cabinet. */
  YOOKASSA_RECEIPT_TAX_SYSTEM: whole(1, 6).optional(),
};

const Settings = z.object(paymentSettings);

/** How cards are charged; undefined: not at all. */
export function cardsOf(settings: z.output<typeof Settings>) {
  if (settings.PAYMENT_PROVIDER === "none") return undefined;
  if (settings.PAYMENT_PROVIDER === "test") return { provider: "test" as const };
  const { YOOKASSA_SHOP_ID: shopId, YOOKASSA_SECRET_KEY: secretKey, YOOKASSA_RETURN_URL: returnUrl } = settings;
  if (!shopId || !secretKey || !returnUrl) {
    const needed = ["YOOKASSA_SHOP_ID", "YOOKASSA_SECRET_KEY", "YOOKASSA_RETURN_URL"] as const;
    const missing = needed.filter((name) => !settings[name]);
    throw new StartUpError(`Bad configuration:\n  PAYMENT_PROVIDER=yookassa needs ${missing.join(" and ")}`);
  }
  const { YOOKASSA_RECEIPT_VAT: vatCode, YOOKASSA_RECEIPT_TAX_SYSTEM: taxSystem } = settings;
  if (taxSystem !== undefined && vatCode === undefined)
    throw new StartUpError("Bad configuration:\n  YOOKASSA_RECEIPT_TAX_SYSTEM needs YOOKASSA_RECEIPT_VAT");
  return {
    ...{ provider: "yookassa" as const, url: settings.YOOKASSA_API_URL, shopId, secretKey, returnUrl },
    isTwoStage: settings.YOOKASSA_CAPTURE === "by-staff",
    receipts: vatCode === undefined ? undefined : { vatCode, taxSystem },
  };
}
