import type { Language } from "../../../db/entities/accounts/user.ts";
import type { MailTemplate } from "../compose.ts";

/** The content of one kind of mail, in each language, and sample data for previews and tests. */
export interface TemplateDefinition<Data> {
  write: Record<Language, (data: Data) => MailTemplate>;
  example: Data;
  /** More sample data, by name, where the mail says something else in another state. */
  variants?: Readonly<Record<string, Data>>;
}

/** All sample data of a template, by name. */
export const samplesOf = ({ example, variants }: Pick<TemplateDefinition<unknown>, "example" | "variants">) =>
  ({ example, ...variants }) as Readonly<Record<string, unknown>>;

/** Infers the types of a template from its data. */
export const defineTemplate = <Data>(kind: TemplateDefinition<Data>): TemplateDefinition<Data> => kind;
