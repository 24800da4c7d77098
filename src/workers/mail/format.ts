import type { Language } from "../../db/entities/accounts/user.ts";
import { businessTimeZone } from "../../jobs/schedules.ts";

const locales = { ru: "ru-RU", en: "en-GB" } as const;

/** Whole roubles in the notation of the language. */
export function formatRub(amount: number, language: Language): string {
  const style = { style: "currency", currency: "RUB", maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(locales[language], style).format(amount);
}

/** A moment in the shop's time zone. */
export function formatTime(at: Date, language: Language): string {
  const style = { timeZone: businessTimeZone, dateStyle: "long", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat(locales[language], style).format(at);
}

/** A calendar day, given as `2026-11-22`. */
export function formatDay(day: string, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], { timeZone: "UTC", dateStyle: "long" }).format(new Date(day));
}

/** A number of pieces. */
export const formatPieces = (quantity: number, language: Language) =>
  `${new Intl.NumberFormat(locales[language]).format(quantity)} ${language === "ru" ? "шт." : quantity === 1 ? "pc" : "pcs"}`;

/** The part of an id that people use on the telephone. */
export const shortId = (id: string) => id.slice(0, 8);
