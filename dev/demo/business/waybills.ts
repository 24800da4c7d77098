import type { WaybillType } from "../../../src/db/entities/stock/waybill.ts";
import { priceRubFor } from "../../../src/services/orders/prices.ts";
import type { OfferRow } from "../catalogue.ts";
import type { Random } from "../random.ts";
import type { Person } from "./people.ts";
import { typeAt } from "./prices.ts";
import type { WaybillOfferRow, WaybillRow } from "./rows.ts";

export interface WaybillWithLines {
  waybill: WaybillRow;
  lines: WaybillOfferRow[];
}

interface NewWaybill {
  waybillType: WaybillType;
  author: Person;
  customer: Person;
  orderId?: string;
  /** The delivery whose goods come back. */
  returnOf?: string | null;
  note?: string | null;
  createdAt: string;
  /** Absent: no user has committed it yet. */
  committed?: { by: Person; at: string };
  goods: readonly { offer: OfferRow; quantity: number; priceRub?: number }[];
}

/** Which way the goods go. */
export const directions: Record<WaybillType, 1 | -1> = { WAYBILL_IN: 1, WAYBILL_OUT: -1, WAYBILL_RETURN: 1 };

/** A waybill whose lines cost what the customer pays at that moment, unless they bring a price. */
export function writeWaybill(random: Random, input: NewWaybill): WaybillWithLines {
  const {
    waybillType,
    author,
    customer,
    orderId = null,
    returnOf = null,
    note = null,
    createdAt,
    committed,
    goods,
  } = input;
  const id = random.uuid();
  const waybill: WaybillRow = {
    id,
    authorId: author.id,
    customerId: customer.id,
    orderId,
    returnOf,
    // Numbers are given when all waybills are there.
    paperNumber: null,
    paperYear: null,
    waybillType,
    isPending: !committed,
    note,
    committedBy: committed?.by.id ?? null,
    committedAt: committed?.at ?? null,
    createdAt,
    updatedAt: committed?.at ?? createdAt,
  };
  const type = typeAt(customer, createdAt);
  const lines = goods.map(({ offer, quantity, priceRub = priceRubFor(type, offer) }) => ({
    id: random.uuid(),
    waybillId: id,
    offerId: offer.id,
    brand: offer.brand,
    manufacturerNumber: offer.manufacturerNumber,
    quantity,
    priceRub,
    createdAt,
    updatedAt: createdAt,
  }));
  return { waybill, lines };
}

/** Those that have moved stock, in the order in which they did. */
export function committedOf(waybills: readonly WaybillWithLines[]) {
  return waybills
    .flatMap(({ waybill, lines }) => {
      const { committedAt, committedBy } = waybill;
      return committedAt && committedBy ? [{ waybill, lines, committedAt, committedBy }] : [];
    })
    .sort((a, b) => (a.committedAt < b.committedAt ? -1 : 1));
}
