import type { Language } from "../../../db/entities/accounts/user.ts";
import type { MailTemplate } from "../compose.ts";

/** What one kind of mail says, in each language, and data to look at it with. */
export interface TemplateDefinition<Data> {
  write: Record<Language, (data: Data) => MailTemplate>;
  example: Data;
}

/** Ties what a mail says to the data that it says it of. */
export const defineTemplate = <Data>(kind: TemplateDefinition<Data>): TemplateDefinition<Data> => kind;
