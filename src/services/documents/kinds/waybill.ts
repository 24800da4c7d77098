import { z } from "zod";
import { documentSources, type PrintedLine } from "../../../db/dao/documents/document-sources.ts";
import type { Waybill, WaybillType } from "../../../db/entities/stock/waybill.ts";
import { businessDay, formatDay } from "../../business-day.ts";
import { paperNumberOf } from "../../stock/paper-number.ts";
import { amountInWords } from "./amount-in-words.ts";
import { defineKind, sheetFormats } from "./define-kind.ts";
import type { Block, Layout } from "./layout.ts";
import { contactFields, latest, linesTable, totalOf } from "./sheet-parts.ts";

/** A waybill that accompanies the goods: incoming, outgoing or returned. */
export const waybillKind = defineKind({
  kind: "waybill",
  summary: "A waybill of goods that arrive, leave or are returned",
  formats: sheetFormats,
  asked: z.object({ id: z.uuid() }),
  missing: "Waybill not found",
  about: "waybill",
  names: ({ id }) => ({ shown: `Накладная ${id}`, ascii: `waybill_${id}` }),
  async source(tx, { id }) {
    const waybill = await documentSources.waybill(tx, id);
    if (!waybill) return null;
    const lines = await documentSources.waybillLines(tx, id);
    const delivery = waybill.returnOf === null ? null : await documentSources.waybill(tx, waybill.returnOf);
    return { state: [waybill, delivery, lines], content: () => waybillLayout(waybill, delivery, lines) };
  },
});

const types: Record<WaybillType, { name: string; roles: readonly string[] }> = {
  WAYBILL_OUT: { name: "Расход", roles: ["Отпустил", "Получил"] },
  WAYBILL_IN: { name: "Приход", roles: ["Сдал", "Принял на склад"] },
  WAYBILL_RETURN: { name: "Возврат", roles: ["Вернул", "Принял на склад"] },
};

/** A waybill that was made from an order goes to the customer of the order, and its goods come back from there. */
function waybillLayout(waybill: Waybill, delivery: Waybill | null, lines: readonly PrintedLine[]): Layout {
  const { name, phone, city, shipping } = contactFields(waybill.order ?? delivery?.order ?? waybill.customer);
  const type = types[waybill.waybillType];
  const day = (at: Date) => formatDay(businessDay(at));
  const number = paperNumberOf(waybill);
  const state = waybill.committedAt ? `проведена ${day(waybill.committedAt)}` : "не проведена";
  return {
    title: number === null ? "Накладная без номера" : `Накладная № ${number}`,
    blocks: [
      { type: "text", text: `${type.name}, от ${day(waybill.createdAt)}, ${state}`, isStrong: true },
      { type: "fields", fields: [name, phone, city, shipping] },
      ...(waybill.orderId ? [line(`По заказу № ${waybill.orderId}`)] : []),
      ...(delivery ? [line(`Возврат по накладной № ${paperNumberOf(delivery) ?? delivery.id}`)] : []),
      line(`Запись № ${waybill.id}`),
      ...(waybill.note ? [line(`Примечание: ${waybill.note}`)] : []),
      linesTable(lines),
      { type: "text", text: `Всего на сумму: ${amountInWords(totalOf(lines))}`, isStrong: true },
      { type: "signatures", roles: type.roles },
    ],
    changedAt: latest(waybill, lines),
  };
}

const line = (text: string): Block => ({ type: "text", text });
