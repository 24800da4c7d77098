import type { Language } from "../../../db/entities/accounts/user.ts";
import type { MailTemplate } from "../compose.ts";

/** The content of one kind of mail, in each language, and sample data for a preview. */
export interface TemplateDefinition<Data> {
  write: Record<Language, (data: Data) => MailTemplate>;
  example: Data;
}

/** Infers the types of a template from its data. */
export const defineTemplate = <Data>(kind: TemplateDefinition<Data>): TemplateDefinition<Data> => kind;
