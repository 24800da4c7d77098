import type { EntityManager } from "typeorm";
import type { z } from "zod";
import type { OwnedTable } from "../../../db/dao/documents/documents.ts";
import type { Layout } from "./layout.ts";

/** What a file of each format is sent as. */
export const contentTypes = {
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pdf: "application/pdf",
  csv: "text/csv; charset=utf-8",
  xml: "application/xml",
  json: "application/json",
} as const;

export type DocumentFormat = keyof typeof contentTypes;

/** Printed sheets, which people also edit. */
export const sheetFormats = ["pdf", "docx", "xlsx"] as const;
export const reportFormats = ["pdf", "xlsx"] as const;

/** What is on documents besides data of the database. */
export interface Shop {
  /** Whom invoices are paid to; null: there are no invoices. */
  payee: Payee | null;
  /** Where anybody can read a public object. */
  publicUrl(key: string): string;
}

/** A bank account in Russia and whose it is. */
export interface Payee {
  name: string;
  inn: string;
  /** Sole traders have none. */
  kpp?: string | undefined;
  account: string;
  bank: string;
  bic: string;
  correspondentAccount: string;
}

/** The data of a document. */
export interface Source {
  /** Changes with everything that is on the document: the same state, the same file. Hashed as JSON. */
  state: unknown;
  content: () => Content | Promise<Content>;
}

/** What a writer gets: a layout for those of printed documents, text for a program's format of its own. */
export type Content = Layout | { text: AsyncIterable<string> };

/** A kind of document: everything about it but how its formats are written. */
export interface KindDefinition<
  Name extends string,
  Format extends DocumentFormat,
  Asked extends z.ZodObject,
  Stored = z.output<Asked>,
> {
  /** Stored with each document: never renamed. */
  readonly kind: Name;
  readonly summary: string;
  readonly formats: readonly Format[];
  /** What a caller has to say. */
  readonly asked: Asked;
  /** Adds what no caller may choose; what it returns is stored. Absent: nothing. */
  readonly complete?: (asked: z.output<Asked>, now: Date) => Stored;
  /** What its parameter `id` names; the customer whose that is may have it. Absent: it is for staff alone. */
  readonly about?: OwnedTable;
  /** Says that there is none, in the words of the route that shows what it is about. */
  readonly missing: string;
  /** Names of its file without the format: `shown` to people, `ascii` for programs that know no other letters. */
  readonly names: (parameters: Stored) => { shown: string; ascii: string };
  /** Where anybody may read it, whatever it is now; absent or null: nobody but through the API. */
  readonly publicKey?: (parameters: Stored, format: DocumentFormat) => string | null;
  /** Reads what it is made of, all of it from one state of the database; null when there is no such thing. */
  readonly source: (tx: EntityManager, parameters: Stored, shop: Shop) => Promise<Source | null>;
}

// biome-ignore lint/suspicious/noExplicitAny: parameters of many types; each is checked by its own schema before.
export type AnyKind = KindDefinition<string, DocumentFormat, z.ZodObject<any>, any>;

/** Freezes a definition and infers its types. */
export function defineKind<
  const Name extends string,
  const Format extends DocumentFormat,
  Asked extends z.ZodObject,
  Stored = z.output<Asked>,
>(definition: KindDefinition<Name, Format, Asked, Stored>): KindDefinition<Name, Format, Asked, Stored> {
  return Object.freeze(definition);
}
