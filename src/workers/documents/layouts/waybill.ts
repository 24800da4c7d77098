import type { PrintedLine } from "../../../db/dao/document-sources.ts";
import type { Waybill } from "../../../db/entities/waybill.ts";
import { contactFields } from "./contact.ts";
import { latest, linesTable } from "./lines.ts";
import type { Printout } from "./printout.ts";

/** A waybill for the goods to travel with; one that was made of an order goes to whoever ordered. */
export function waybillLayout(waybill: Waybill, lines: readonly PrintedLine[]): Printout {
  const { name, phone, city, shipping } = contactFields(waybill.order ?? waybill.customer);
  return {
    title: `Накладная № ${waybill.id}`,
    fields: [name, phone, city, shipping],
    ...linesTable(lines),
    changedAt: latest(waybill, lines),
  };
}
