import type { PriceRow } from "../../../db/dao/price-rows.ts";
import type { PriceListType } from "../../../services/document-kinds.ts";
import { wholesalePriceRub } from "../../../services/prices.ts";
import type { Cell, Column, Listing } from "./printout.ts";

interface ListColumn extends Column {
  cell: (row: PriceRow) => Cell;
  /** Not for the eyes of retail customers. */
  isWholesale?: true;
}

const columns: readonly ListColumn[] = [
  { title: "bitrix_id", kind: "text", width: 11, cell: ({ bitrixId }) => bitrixId ?? "" },
  { title: "Система", kind: "text", width: 24, cell: ({ category }) => category },
  { title: "Подсистема", kind: "text", width: 24, cell: ({ subCategory }) => subCategory },
  { title: "Название", kind: "text", width: 50, cell: ({ name }) => name },
  { title: "Бренд", kind: "text", width: 16, cell: ({ brand }) => brand },
  { title: "Номер производителя", kind: "text", width: 22, cell: ({ manufacturerNumber }) => manufacturerNumber },
  { title: "Кроссы", kind: "text", width: 40, cell: ({ crossNumber }) => crossNumber ?? "" },
  { title: "Цена", kind: "money", width: 11, cell: ({ priceRub }) => priceRub },
  { title: "Цена опт", kind: "money", width: 11, cell: wholesalePriceRub, isWholesale: true },
  {
    title: "Цена супер-опт",
    kind: "money",
    width: 16,
    cell: ({ superWholesalePriceRub }) => superWholesalePriceRub,
    isWholesale: true,
  },
  { title: "Остаток", kind: "count", width: 9, cell: ({ quantity }) => quantity },
];

/** The price list; the retail one has no wholesale columns. */
export function priceListLayout(type: PriceListType, rows: AsyncIterable<PriceRow>): Listing {
  const shown = columns.filter(({ isWholesale }) => type === "wholesale" || !isWholesale);
  return { title: "Прайс-лист", columns: shown, rows: cells(shown, rows) };
}

async function* cells(shown: readonly ListColumn[], rows: AsyncIterable<PriceRow>) {
  for await (const row of rows) yield shown.map(({ cell }) => cell(row));
}
