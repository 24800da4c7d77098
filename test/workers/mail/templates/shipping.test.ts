import { describe, expect, test } from "vitest";
import { languages } from "../../../../src/db/entities/accounts/user.ts";
import { mailKindNames } from "../../../../src/jobs/mail-kinds.ts";
import type { MailTemplate } from "../../../../src/workers/mail/compose.ts";
import { templates } from "../../../../src/workers/mail/templates/index.ts";
import { exampleOrder } from "../../../../src/workers/mail/templates/order-data.ts";
import { shippingFacts } from "../../../../src/workers/mail/templates/shipping.ts";

const url = "https://shop.example/orders/1";
const nowhere = { country: null, postalCode: null, city: null, address: null, street: null, house: null };
const carrier = { shippingMethod: "CARGO", shippingCompany: "CDEK", url } as const;
const valuesOf = (order: object, language: "ru" | "en" = "ru", reader: "customer" | "staff" = "customer") =>
  shippingFacts({ ...nowhere, ...carrier, ...order }, language, reader).map(({ value }) => value);

/** The list of many orders is about none of them. */
const aboutOrders = mailKindNames.filter((kind) => /^(order|payment|waybill)-/.test(kind));
/** About money that goes another way than goods. */
const aboutMoney = ["payment-unmatched", "payment-unmatched-staff", "payment-refunded"];

describe.each(languages)("a mail in the language %s", (language) => {
  test.each(aboutMoney)("of the kind %s says nothing of goods, and leads to the order", (kind) => {
    const { write, example } = templates[kind as (typeof aboutOrders)[number]];
    const { facts, button } = (write[language] as (data: unknown) => MailTemplate)(example);
    for (const fact of shippingFacts(exampleOrder, language, "customer")) expect(facts).not.toContainEqual(fact);
    expect(button?.url).toBe(exampleOrder.url);
  });

  const aboutGoods = aboutOrders.filter((kind) => !aboutMoney.includes(kind));
  test.each(aboutGoods)("of the kind %s says how the goods travel and leads to the order", (kind) => {
    const { write, example } = templates[kind];
    const { facts, button } = (write[language] as (data: unknown) => MailTemplate)(example);
    const [how, where] = shippingFacts(exampleOrder, language, "customer");
    for (const fact of [how, where]) expect(facts).toContainEqual(fact);
    expect(button?.url).toBe(exampleOrder.url);
  });

  test.each([
    ["order-status", "canceled"],
    ["payment-received", "canceled"],
    ["waybill-committed", "return"],
  ] as const)("of the kind %s (%s) says nothing of goods that do not travel to the customer", (kind, variant) => {
    const { write, variants } = templates[kind];
    const data = (variants as Readonly<Record<string, unknown>>)[variant];
    const { facts } = (write[language] as (data: unknown) => MailTemplate)(data);
    for (const fact of shippingFacts(exampleOrder, language, "customer")) expect(facts).not.toContainEqual(fact);
  });

  test.each(aboutOrders)("of the kind %s has no button where the storefront has no page of an order", (kind) => {
    const { write, example } = templates[kind];
    const without = { ...example, url: undefined, order: { ...exampleOrder, url: undefined } };
    expect((write[language] as (data: unknown) => MailTemplate)(without).button).toBeUndefined();
  });
});

describe("the shipping of an order", () => {
  test("has the carrier and the whole address, in words for the codes of the storefront", () => {
    const [how, where] = valuesOf({ country: "RUS", postalCode: "299000", city: "Севастополь", address: "Ленина, 1" });
    expect([how, where]).toEqual(["Транспортная компания, СДЭК", "Россия, 299000, Севастополь, Ленина, 1"]);
    const ofWarehouse = { country: "Грузия", shippingCompany: "ПЭК", city: "Батуми", street: "Руставели", house: "5" };
    expect(valuesOf(ofWarehouse, "en")).toEqual(["Carrier, ПЭК", "Грузия, Батуми, Руставели, 5"]);
  });

  test("has no carrier and no address when the customer collects the goods", () => {
    expect(valuesOf({ shippingMethod: "SELF_PICKUP", city: "Севастополь" })).toEqual(["Самовывоз"]);
  });

  test("has no address where none was given", () => {
    expect(valuesOf({ shippingMethod: "OTHER", shippingCompany: null })).toEqual(["Другой способ"]);
  });

  test.each([
    ["www.evil.example/x", ""],
    ["https://evil.example", ""],
    ["evil.example", "evil. example"],
    ["a@evil.example", "a@evil. example"],
    ["ул.Ленина, 5", "ул. Ленина, 5"],
    ["x".repeat(1_000), `${"x".repeat(150)}…`],
  ])("has no link that a stranger has written: %j", (address, shown) => {
    expect(valuesOf({ address })[1] ?? "").toBe(shown);
    expect(valuesOf({ address }, "ru", "staff")[1]).toBe(address);
  });
});
