import type { EntityManager } from "typeorm";
import type { z } from "zod";
import type { OwnedTable } from "../../../db/dao/documents/documents.ts";
import type { Layout } from "./layout.ts";

/** The content type of each format. */
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

/** Content of documents that is not in the database. */
export interface Shop {
  /** The payee of invoices; null: there are no invoices. */
  payee: Payee | null;
  /** The public address of an object. */
  publicUrl(key: string): string;
}

/** A bank account in Russia and its owner. */
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
  /** Covers all content of the document: the same state, the same file. Hashed as JSON. */
  state: unknown;
  content: () => Content | Promise<Content>;
}

/** The input of a writer: a layout for printed documents, text for the format of a program. */
export type Content = Layout | TextContent;

export interface TextContent {
  text: AsyncIterable<string>;
  /** Offers in stock that a feed leaves out, because they have no price. */
  offersWithoutPrice?: number;
}

/** A kind of document: everything about it except how its formats are written. */
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
  /** The parameters that a caller sends. */
  readonly asked: Asked;
  /** Adds parameters that no caller may choose; its result is stored. Absent: none. */
  readonly complete?: (asked: z.output<Asked>, now: Date) => Stored;
  /** The entity that its parameter `id` names; the owner of that may have it. Absent: it is for staff only. */
  readonly about?: OwnedTable;
  /** Message when there is none, as the route of the entity has it. */
  readonly missing: string;
  /** Names of its file without the format: `shown` to people, `ascii` for programs that accept no other letters. */
  readonly names: (parameters: Stored) => { shown: string; ascii: string };
  /** Its public address, whatever its present content; absent or null: only the API serves it. */
  readonly publicKey?: (parameters: Stored, format: DocumentFormat) => string | null;
  /** Gives a paper its number when it is first asked for; may be repeated. Absent: it has none, or another place gives it. */
  readonly issue?: (tx: EntityManager, parameters: Stored) => Promise<void>;
  /** Reads its data, all of it from one state of the database; null when there is no such entity. */
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
