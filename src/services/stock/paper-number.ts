import type { Waybill } from "../../db/entities/stock/waybill.ts";

/** The number of a waybill as papers and mails show it; null until its commit. */
export const paperNumberOf = ({ paperYear, paperNumber }: Pick<Waybill, "paperYear" | "paperNumber">) =>
  paperNumber === null ? null : `${paperYear}-${paperNumber}`;
