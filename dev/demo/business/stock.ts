import type { Random } from "../random.ts";
import type { StockMovementRow } from "./rows.ts";
import { committedOf, directions, type WaybillWithLines } from "./waybills.ts";

/** One movement for each line of a committed waybill, in the order of the commits; every offer begins with nothing. */
export function makeMovements(random: Random, waybills: readonly WaybillWithLines[]): StockMovementRow[] {
  const stock = new Map<string, number>();
  return committedOf(waybills).flatMap(({ waybill, lines, committedAt, committedBy }) =>
    lines.map((line) => {
      const delta = directions[waybill.waybillType] * line.quantity;
      const quantityBefore = stock.get(line.offerId) ?? 0;
      const quantityAfter = quantityBefore + delta;
      stock.set(line.offerId, quantityAfter);
      return {
        id: random.uuid(),
        offerId: line.offerId,
        waybillId: waybill.id,
        waybillOfferId: line.id,
        waybillType: waybill.waybillType,
        delta,
        quantityBefore,
        quantityAfter,
        userId: committedBy,
        createdAt: committedAt,
      };
    }),
  );
}
