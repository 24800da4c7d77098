import { describe, expect, test } from "vitest";
import { defaultSize, listOffers, listProducts } from "../../../../src/db/dao/catalogue/catalogue-pages.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { useDatabase } from "../../../support/database.ts";

const db = useDatabase();
const usual = { limit: defaultSize, offset: 0 };

describe("the first page of the usual size", () => {
  const lists = { products: listProducts, offers: listOffers };

  test.each(Object.entries(lists))("of %s is planned once for each connection", async (name, list) => {
    const plans = await db.transaction(async (tx) => {
      for (let turn = 0; turn < 3; turn++) await list(tx, { isDeleted: false }, usual);
      return tx.query("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = $1", [
        `${name}-first-shown`,
      ]);
    });
    expect(plans).toEqual([{ generic_plans: "3", custom_plans: "0" }]);
  });

  test.each(Object.entries(lists))("of %s shows what a page of another size shows", async (_name, list) => {
    const { productId } = await addOffer(db);
    const { subCategoryId } = await db
      .query('SELECT sub_category_id AS "subCategoryId" FROM products WHERE id = $1', [productId])
      .then(([row]) => row);
    const filter = { isDeleted: false, productId, subCategoryId };
    const page = await list(db.manager, filter, usual);
    expect(page.rows).toHaveLength(1);
    expect(await list(db.manager, filter, { ...usual, limit: defaultSize - 1 })).toEqual(page);
  });
});
