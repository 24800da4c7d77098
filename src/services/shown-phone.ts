import type { Language } from "../db/entities/accounts/user.ts";

const words: Record<Language, string> = { ru: "доб.", en: "ext." };

/** A stored phone number for people to read: `+79780424666;ext=12` is `+79780424666 доб. 12`. */
export const shownPhone = (phone: string, language: Language) => phone.replace(";ext=", ` ${words[language]} `);
