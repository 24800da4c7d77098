import type { z } from "zod";
import { getSubCategory } from "../../services/catalogue/sub-categories.ts";
import type { ApiContext } from "../http/types.ts";
import { PictureDetail, pictureDetail, type Show } from "../routes/catalogue/with-image.ts";
import { NestedSubCategory, nestedCategoryView, nestedSubCategoryView } from "./category.ts";

/** A sub-category by itself. */
export const SubCategoryDetail = NestedSubCategory.extend(PictureDetail).meta({ id: "SubCategoryDetail" });

type Row = Awaited<ReturnType<typeof getSubCategory>>;

/** A sub-category by itself; its picture and category have to be loaded. */
export function subCategoryDetail(row: Row, context: ApiContext): z.output<typeof SubCategoryDetail> {
  const category = nestedCategoryView(row.category, context.store);
  return {
    ...nestedSubCategoryView(row, category, context.store),
    ...pictureDetail(row, row.image?.job ?? null, context),
  };
}

export const showSubCategory = (async (context, reader, id) =>
  subCategoryDetail(await getSubCategory(reader, id), context)) satisfies Show;
