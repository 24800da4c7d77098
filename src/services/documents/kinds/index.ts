import { createHash } from "node:crypto";
import type { EntityManager } from "typeorm";
import type { Document } from "../../../db/entities/documents/document.ts";
import { NotFoundError } from "../../../errors.ts";
import { type AnyKind, contentTypes, type DocumentFormat, type Shop, type Source } from "./define-kind.ts";
import { feedKind } from "./feed.ts";
import { invoiceKind } from "./invoice.ts";
import { orderKind } from "./order.ts";
import { personalDataKind } from "./personal-data.ts";
import { priceListKind } from "./price-list.ts";
import { salesReportKind } from "./sales-report.ts";
import { stockReportKind } from "./stock-report.ts";
import { waybillKind } from "./waybill.ts";

/** Every kind of document that can be ordered by name; a new one is a line here and its file. */
export const documentKinds = [
  orderKind,
  invoiceKind,
  waybillKind,
  priceListKind,
  stockReportKind,
  salesReportKind,
  feedKind,
] as const satisfies readonly AnyKind[];

/** A kind that has its own route, with its own rights. */
const allKinds = [...documentKinds, personalDataKind] as const;

type Kinds = (typeof allKinds)[number];

/** All possible documents: a kind, one of its formats, its parameters. */
export type DocumentKind = {
  [Name in Kinds["kind"]]: Extract<Kinds, { kind: Name }> extends infer Kind extends AnyKind
    ? { kind: Name; format: Kind["formats"][number]; parameters: Parameters<Kind["names"]>[0] }
    : never;
}[Kinds["kind"]];

/** Goes up when the same data make another file: then old files are not reused. */
const edition = 7;

/** The definition of a kind; throws at a name that no kind has. */
export function definitionOf(kind: string): AnyKind {
  const found = (allKinds as readonly AnyKind[]).find((one) => one.kind === kind);
  if (!found) throw new Error(`No kind of document is called '${kind}'`);
  return found;
}

/** The parameters of a row. */
export const kindOf = ({ kind, format, parameters }: Document) => ({ kind, format, parameters }) as DocumentKind;

/** The public price list. */
export const publicPriceList = (day: string) =>
  ({ kind: "price-list", format: "xlsx", parameters: { type: "wholesale", day } }) satisfies DocumentKind;

/** The public address of a document; null for all except the wholesale list, which is mailed to customers. */
export function publicKeyOf({ kind, format, parameters }: DocumentKind): string | null {
  return definitionOf(kind).publicKey?.(parameters, format) ?? null;
}

/** Names of a document's file: `shown` to people who save it, `ascii` for programs that accept no other letters. */
export function namesOf({ kind, format, parameters }: DocumentKind): { shown: string; ascii: string } {
  const { shown, ascii } = definitionOf(kind).names(parameters);
  return { shown: `${shown}.${format}`, ascii: `${ascii}.${format}` };
}

/** The data of a document and its hash: the same hash, the same file. Throws `NotFoundError` when there is none. */
export async function sourceOf(
  tx: EntityManager,
  { kind, format, parameters }: DocumentKind,
  shop: Shop,
): Promise<Pick<Source, "content"> & { hash: string }> {
  const definition = definitionOf(kind);
  const source = await definition.source(tx, parameters, shop);
  if (!source) throw new NotFoundError(definition.missing);
  const hash = createHash("sha256").update(
    JSON.stringify([edition, kind, format, entriesOf(parameters), source.state]),
  );
  return { content: source.content, hash: hash.digest("hex") };
}

/** Postgres returns them in another order. */
const entriesOf = (parameters: object) => Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));

/** Content types without their parameters, as OpenAPI names them. */
export const mediaTypesOf = (formats: readonly DocumentFormat[]) =>
  formats.map((format) => contentTypes[format].split(";", 1).join());
