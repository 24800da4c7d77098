import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { useApi } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { addOffer, addProduct, addSubCategory } from "../../../support/catalogue.ts";

const api = useApi({ relay: false });
const ask = asker(api);
const detailOf = ({ body }: { body: { detail: unknown } }) => String(body.detail);

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  const remove = (path: string) => ask(`DELETE ${base}${path}`, { as: "admin" });
  const restore = (path: string) => ask(`POST ${base}${path}/restore`);
  const move = async (path: string, values: Record<string, string>) => {
    const { status } = await fetch(api.url + base + path, {
      method: "PATCH",
      headers: { authorization: `Bearer ${api.tokens.employee}` },
      body: new URLSearchParams(values),
    });
    expect(status).toBe(200);
  };

  test("a deleted product is listed, restored and shown again; its offers stay deleted until they are restored", async () => {
    const { id, productId, subCategoryId } = await addOffer(api.db);
    expect((await remove(`/products/${productId}`)).status).toBe(204);
    const deleted = await ask(`GET ${base}/products?sub_category_id=${subCategoryId}&is_deleted=true`);
    expect(deleted.body.items).toMatchObject([{ id: productId, is_deleted: true }]);
    for (let n = 0; n < 2; n++) {
      expect(await restore(`/products/${productId}`)).toMatchObject({
        status: 200,
        body: { id: productId, is_deleted: false },
      });
    }
    const shown = await ask(`GET ${base}/products?sub_category_id=${subCategoryId}`);
    expect(shown.body.items).toMatchObject([{ id: productId }]);
    const offers = await ask(`GET ${base}/offers?product_id=${productId}&is_deleted=true`);
    expect(offers.body.items).toMatchObject([{ id }]);
    expect(await restore(`/offers/${id}`)).toMatchObject({ status: 200, body: { id, is_deleted: false } });
    expect((await ask(`GET ${base}/offers?product_id=${productId}`)).body.items).toMatchObject([{ id }]);
  });

  test("an offer of a deleted product is restored after the product, as the refusal says", async () => {
    const { id, productId } = await addOffer(api.db);
    await remove(`/products/${productId}`);
    const refused = await restore(`/offers/${id}`);
    expect(refused.status).toBe(409);
    const [, advised = ""] = /by POST (\S+)\/restore/.exec(detailOf(refused)) ?? [];
    expect(advised).toBe(`/products/${productId}`);
    expect((await restore(advised)).status).toBe(200);
    expect((await restore(`/offers/${id}`)).status).toBe(200);
  });

  test("what is unknown is not restored, and a customer restores nothing", async () => {
    for (const [path, detail] of [
      ["/products", "Product not found"],
      ["/offers", "Offer not found"],
    ]) {
      expect(await restore(`${path}/${randomUUID()}`)).toMatchObject({ status: 404, body: { detail } });
      expect((await ask(`POST ${base}${path}/${randomUUID()}/restore`, { as: "user" })).status).toBe(403);
    }
  });

  test("a sub-category with a deleted product is deleted once the advice of the refusal was followed", async () => {
    const { id, subCategoryId } = await addProduct(api.db, { name: "Фара" });
    const shown = await addProduct(api.db, { subCategoryId });
    const other = await addSubCategory(api.db);
    await remove(`/products/${id}`);
    const refused = await remove(`/sub-categories/${subCategoryId}`);
    expect(refused.status).toBe(409);
    for (const named of ["2 products", "'Фара'", id, shown.id, "PATCH /products/", "POST /products/"])
      expect(detailOf(refused)).toContain(named);
    expect((await restore(`/products/${id}`)).status).toBe(200);
    for (const productId of [id, shown.id]) await move(`/products/${productId}`, { sub_category_id: other.id });
    expect((await remove(`/products/${id}`)).status).toBe(204);
    expect((await remove(`/sub-categories/${subCategoryId}`)).status).toBe(204);
  });

  test("a category with a sub-category is deleted once the advice of the refusal was followed", async () => {
    const { id, categoryId } = await addSubCategory(api.db, { name: "Оптика" });
    const empty = await addSubCategory(api.db, { categoryId });
    const other = await addSubCategory(api.db);
    const refused = await remove(`/categories/${categoryId}`);
    expect(refused.status).toBe(409);
    for (const named of ["2 sub-categories", "'Оптика'", id, empty.id, "PATCH /sub-categories/"])
      expect(detailOf(refused)).toContain(named);
    await move(`/sub-categories/${id}`, { category_id: other.categoryId });
    expect((await remove(`/sub-categories/${empty.id}`)).status).toBe(204);
    expect((await remove(`/categories/${categoryId}`)).status).toBe(204);
  });

  test("a refusal names a few of many rows, and says how many there are", async () => {
    const { subCategoryId } = await addSubCategory(api.db).then(({ id }) => ({ subCategoryId: id }));
    for (let n = 0; n < 7; n++) await addProduct(api.db, { subCategoryId, name: `Часть ${n}` });
    const detail = detailOf(await remove(`/sub-categories/${subCategoryId}`));
    expect(detail).toContain("7 products");
    expect(detail.match(/'Часть \d'/g)).toHaveLength(3);
  });
});
