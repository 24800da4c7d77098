import type { WaybillType } from "../../db/entities/stock/waybill.ts";

export interface PlannedLine {
  id: string;
  offerId: string;
  quantity: number;
}

/** The change of an offer's stock by one line. */
export interface Movement {
  lineId: string;
  offerId: string;
  delta: number;
  before: number;
  after: number;
}

/** Goods go out with one type of waybill, and come in with the others. */
export function directionOf(waybillType: WaybillType): 1 | -1 {
  return waybillType === "WAYBILL_OUT" ? -1 : 1;
}

/** The movements of a waybill's lines, in their order; lines of the same offer continue each other. Changes nothing. */
export function planMovements(
  waybillType: WaybillType,
  lines: readonly PlannedLine[],
  stock: ReadonlyMap<string, number>,
): { movements: Movement[]; quantities: ReadonlyMap<string, number> } {
  const quantities = new Map<string, number>();
  const movements = lines.map(({ id, offerId, quantity }) => {
    const before = quantities.get(offerId) ?? stock.get(offerId) ?? 0;
    const delta = directionOf(waybillType) * quantity;
    const after = before + delta;
    quantities.set(offerId, after);
    return { lineId: id, offerId, delta, before, after };
  });
  return { movements, quantities };
}
