import type { Language } from "../../../db/entities/user.ts";
import type { Letter } from "../compose.ts";

/** What one kind of mail says, in each language, and data to look at it with. */
export interface LetterKind<Data> {
  write: Record<Language, (data: Data) => Letter>;
  example: Data;
}

/** Ties what a mail says to the data that it says it of. */
export const defineLetter = <Data>(kind: LetterKind<Data>): LetterKind<Data> => kind;
