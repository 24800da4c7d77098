import type { EntityManager } from "typeorm";
import { documentSources } from "../../db/dao/document-sources.ts";
import { priceRows } from "../../db/dao/price-rows.ts";
import type { DocumentKind, PriceListType } from "../../services/document-kinds.ts";
import { PermanentError } from "../classify-error.ts";
import { orderLayout } from "./layouts/order.ts";
import { priceListLayout } from "./layouts/price-list.ts";
import type { Listing, Printout } from "./layouts/printout.ts";
import { waybillLayout } from "./layouts/waybill.ts";
import { writeCsv } from "./writers/csv.ts";
import { writeDocx } from "./writers/docx.ts";
import { writePdf } from "./writers/pdf.ts";
import { listingToXlsx, printoutToXlsx } from "./writers/sheets.ts";

export type Content = AsyncIterable<Uint8Array>;

const printoutWriters = { docx: writeDocx, xlsx: printoutToXlsx, pdf: writePdf } satisfies Record<
  string,
  (printout: Printout) => Content
>;
const listingWriters = { xlsx: listingToXlsx, csv: writeCsv } satisfies Record<string, (listing: Listing) => Content>;

/** The bytes of a document from the data of now; throws `PermanentError` when that has been deleted. */
export async function renderContent(tx: EntityManager, { kind, format, parameters }: DocumentKind): Promise<Content> {
  switch (kind) {
    case "order":
      return printoutWriters[format](await order(tx, parameters.id));
    case "waybill":
      return printoutWriters[format](await waybill(tx, parameters.id));
    case "price-list":
      return listingWriters[format](priceList(tx, parameters.type));
  }
}

async function order(tx: EntityManager, id: string) {
  const found = await documentSources.order(tx, id);
  if (!found) throw new PermanentError(`The order '${id}' was deleted before its document was made`);
  return orderLayout(found, await documentSources.orderLines(tx, id));
}

async function waybill(tx: EntityManager, id: string) {
  const found = await documentSources.waybill(tx, id);
  if (!found) throw new PermanentError(`The waybill '${id}' was deleted before its document was made`);
  return waybillLayout(found, await documentSources.waybillLines(tx, id));
}

function priceList(tx: EntityManager, type: PriceListType) {
  return priceListLayout(type, priceRows(tx));
}
