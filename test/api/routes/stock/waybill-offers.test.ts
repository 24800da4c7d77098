import { describe, expect, test } from "vitest";
import type { WaybillOfferView } from "../../../../src/api/views/waybill-offer.ts";
import { WaybillOffer } from "../../../../src/db/entities/stock/waybill-offer.ts";
import { useApi } from "../../../support/api.ts";
import { addOffer, addProduct } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { send } from "../../../support/send.ts";
import { addUser } from "../../../support/users.ts";
import { addWaybill } from "../../../support/waybills.ts";

describe("lines of waybills", () => {
  const api = useApi({ relay: false });
  const unknownId = "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81";

  const stored = (id: string) => api.db.manager.findOneBy(WaybillOffer, { id });
  const commit = (id: string) => send(api, "POST", `/waybills/${id}/commit`);
  /** A waybill with one line: two pieces for 1000 each. */
  const withLine = async () => {
    const offer = await addOffer(api.db);
    const { id, lineIds } = await addWaybill(api.db, { lines: [{ offerId: offer.id, quantity: 2 }] });
    return { waybillId: id, lineId: String(lineIds[0]), offer };
  };
  const keys = ["brand", "id", "manufacturer_number", "offer", "offer_id", "price_rub", "quantity", "waybill_id"];

  describe("GET /waybills/{id}/offers", () => {
    const list = (id: string, path = "") => send<WaybillOfferView[]>(api, "GET", `${path}/waybills/${id}/offers`);

    test.each(["", "/warehouse"])("lists the lines by id with their offers under '%s'", async (path) => {
      const product = await addProduct(api.db, { name: "Диск тормозной" });
      const offers = [
        await addOffer(api.db, { productId: product.id, sku: "A-01-02" }),
        await addOffer(api.db, { isDeleted: true }),
      ];
      const lines = [offers[0], offers[1], offers[0]].map((offer, at) => ({
        offerId: String(offer?.id),
        quantity: at + 1,
        brand: "Прежняя",
        priceRub: 5,
      }));
      const { id, lineIds } = await addWaybill(api.db, { lines });
      const { status, body } = await list(id, path);
      expect(status).toBe(200);
      expect(body.map((line) => line.id)).toEqual(lineIds);
      expect(lineIds).toEqual([...lineIds].sort());
      expect(body.map(({ quantity }) => quantity)).toEqual([1, 2, 3]);
      expect(Object.keys(body[0] ?? {}).sort()).toEqual(keys);
      expect(body[0]).toMatchObject({
        waybill_id: id,
        offer_id: offers[0]?.id,
        brand: "Прежняя",
        manufacturer_number: "AC-100",
        price_rub: 5,
        offer: {
          brand: "ACME",
          sku: "A-01-02",
          address_id: "A-01-02",
          price_rub: 1_000,
          wholesale_price_rub: 850,
          product: { name: "Диск тормозной", total_quantity: 10, min_price_rub: 1_000, sub_category: { category: {} } },
        },
      });
      expect(body[1]?.offer.is_deleted).toBe(true);
    });

    test("answers with an empty list, 404, or 422", async () => {
      const { id } = await addWaybill(api.db);
      expect(await list(id)).toMatchObject({ status: 200, body: [] });
      expect(await list(unknownId)).toMatchObject({ status: 404, body: { detail: "Waybill not found" } });
      expect((await list("x")).status).toBe(422);
    });

    test("takes as many statements for twenty lines as for one", async () => {
      const offers = [];
      for (let n = 0; n < 20; n++) offers.push({ offerId: (await addOffer(api.db)).id });
      const [one, twenty] = [
        await addWaybill(api.db, { lines: offers.slice(0, 1) }),
        await addWaybill(api.db, { lines: offers }),
      ];
      // The tree of categories is kept in memory, but not while rows are added behind its back.
      await api.context.cache.invalidate("tree");
      await list(twenty.id);
      const count = (id: string) => countStatements(api.db, () => list(id));
      // Who asks, the waybill, its lines, their offers, their products.
      expect([await count(one.id), await count(twenty.id)]).toEqual([5, 5]);
    });
  });

  describe("POST /waybills/{id}/offers", () => {
    const add = (id: string, body: object) => send<WaybillOfferView>(api, "POST", `/waybills/${id}/offers`, { body });

    test("adds a line with brand, number and price of the offer for the waybill's customer", async () => {
      const customer = await addUser(api.db, { customerType: "USER_WHOLESALE" });
      const offer = await addOffer(api.db, { brand: "Ford", priceRub: 100, superWholesalePriceRub: 51 });
      const { id } = await addWaybill(api.db, { customerId: customer.id });
      const sent = {
        id: unknownId,
        waybill_id: unknownId,
        offer_id: offer.id,
        quantity: "3",
        brand: "Lada",
        manufacturer_number: "X",
        price_rub: 1.5,
      };
      const { status, body } = await add(id, sent);
      expect(status).toBe(201);
      expect(Object.keys(body).sort()).toEqual(keys);
      expect(body).toMatchObject({
        waybill_id: id,
        offer_id: offer.id,
        quantity: 3,
        brand: "Ford",
        manufacturer_number: "AC-100",
        price_rub: 76,
        offer: { id: offer.id, quantity: 10 },
      });
      expect(body.id).not.toBe(unknownId);
      expect(await stored(body.id)).toMatchObject({ waybillId: id, priceRub: 76 });
    });

    test("takes the same offer twice, and a deleted one, of which something may be left", async () => {
      const offer = await addOffer(api.db, { isDeleted: true });
      const { id } = await addWaybill(api.db);
      for (const quantity of [1, 2]) expect((await add(id, { offer_id: offer.id, quantity })).status).toBe(201);
      expect(await api.db.manager.countBy(WaybillOffer, { waybillId: id })).toBe(2);
    });

    test("answers 409 when there are 1,000 lines already", async () => {
      const { waybillId, offer } = await withLine();
      await api.db.query(
        `INSERT INTO waybill_offers (waybill_id, offer_id, brand, manufacturer_number, quantity, price_rub)
         SELECT $1, $2, 'a', 'b', 1, 1 FROM generate_series(1, 998)`,
        [waybillId, offer.id],
      );
      const line = { offer_id: offer.id, quantity: 1 };
      expect((await add(waybillId, line)).status).toBe(201);
      const { status, body } = await add(waybillId, line);
      const detail = `Waybill '${waybillId}' has 1000 lines, which is the maximum; make another one`;
      expect([status, body]).toMatchObject([409, { detail }]);
    });

    test("answers 404 to an unknown waybill or offer, and 409 when the waybill is committed", async () => {
      const { waybillId, offer } = await withLine();
      const line = { offer_id: offer.id, quantity: 1 };
      expect(await add(unknownId, line)).toMatchObject({ status: 404, body: { detail: "Waybill not found" } });
      const missing = await add(waybillId, { ...line, offer_id: unknownId });
      expect(missing).toMatchObject({ status: 404, body: { detail: "Offer not found" } });
      await commit(waybillId);
      expect(await add(waybillId, line)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining(`Waybill '${waybillId}' is committed`) },
      });
      expect(await api.db.manager.countBy(WaybillOffer, { waybillId })).toBe(1);
    });

    test.each([
      [{}, ["missing", "missing"]],
      [{ offer_id: "x", quantity: 0 }, ["uuid_parsing", "greater_than"]],
      [{ offer_id: unknownId, quantity: 1.5 }, ["int_from_float"]],
      [{ offer_id: unknownId, quantity: true }, ["int_parsing"]],
    ])("answers 422 to %j", async (body, types) => {
      const { id } = await addWaybill(api.db);
      const answer = await send(api, "POST", `/waybills/${id}/offers`, { body });
      expect(answer.status).toBe(422);
      expect((answer.body.detail as { type: string }[]).map(({ type }) => type)).toEqual(types);
    });
  });

  describe("PATCH /waybill-offers/{id}", () => {
    const patch = (id: string, body: object) => send<WaybillOfferView>(api, "PATCH", `/waybill-offers/${id}`, { body });

    test("changes what is sent and leaves the rest", async () => {
      const { lineId, offer } = await withLine();
      const before = { quantity: 2, price_rub: 1_000, brand: "ACME", manufacturer_number: "AC-100" };
      const changes = [{ quantity: 7 }, { price_rub: 900 }, { brand: " Ford " }, { manufacturer_number: "F-1" }];
      for (const change of changes) {
        Object.assign(before, change, change.brand && { brand: "Ford" });
        const { status, body } = await patch(lineId, change);
        expect(status).toBe(200);
        expect(body).toMatchObject({ ...before, id: lineId, offer: { id: offer.id, brand: "ACME" } });
      }
    });

    test.each([
      [12.345678, 12],
      [12.5, 13],
      ["99.5", 100],
      [0.4, 0],
      ["1500", 1_500],
    ])("rounds a price of %s half up to %i whole roubles", async (sent, price) => {
      const { lineId } = await withLine();
      expect(await patch(lineId, { price_rub: sent })).toMatchObject({ status: 200, body: { price_rub: price } });
    });

    test("takes the whole line back with another quantity, as the warehouse sends it, and never changes its offer", async () => {
      const { waybillId, lineId, offer } = await withLine();
      const other = await addOffer(api.db);
      const [shown] = (await send<WaybillOfferView[]>(api, "GET", `/warehouse/waybills/${waybillId}/offers`)).body;
      const { status, body } = await patch(lineId, {
        ...shown,
        quantity: 5,
        offer_id: other.id,
        waybill_id: unknownId,
      });
      expect(status).toBe(200);
      expect(body).toEqual({ ...shown, quantity: 5 });
      expect(await stored(lineId)).toMatchObject({ offerId: offer.id, waybillId, quantity: 5 });
    });

    test("answers 400 when nothing is sent that can be changed, and 404 to an unknown line", async () => {
      const { lineId } = await withLine();
      for (const body of [{}, { offer_id: unknownId }]) {
        expect(await patch(lineId, body)).toMatchObject({
          status: 400,
          body: { detail: "No data provided for update" },
        });
      }
      expect(await patch(unknownId, { quantity: 1 })).toMatchObject({
        status: 404,
        body: { detail: "Entity not found" },
      });
    });

    test("answers 409 when the waybill is committed, also to the same values", async () => {
      const { waybillId, lineId } = await withLine();
      await commit(waybillId);
      for (const body of [{ quantity: 2 }, { price_rub: 1 }, { brand: "Ford" }]) {
        expect(await patch(lineId, body)).toMatchObject({
          status: 409,
          body: {
            detail: `Waybill '${waybillId}' is committed: it and its lines stay as they are; correct it by another one`,
          },
        });
      }
      expect(await stored(lineId)).toMatchObject({ quantity: 2, priceRub: 1_000, brand: "ACME" });
    });

    test.each([
      [{ quantity: 0 }, "greater_than"],
      [{ quantity: null }, "int_parsing"],
      [{ quantity: "many" }, "int_parsing"],
      [{ price_rub: -0.4 }, "greater_than_equal"],
      [{ price_rub: 1_000_000_001 }, "less_than_equal"],
      [{ price_rub: "free" }, "int_parsing"],
      [{ brand: "" }, "string_too_short"],
      [{ brand: "   " }, "string_too_short"],
      [{ manufacturer_number: null }, "string_type"],
      [{ manufacturer_number: 5 }, "string_type"],
      [{ brand: "a\u0000b" }, "value_error"],
    ])("answers 422 to %j", async (body, type) => {
      const { lineId } = await withLine();
      const answer = await send(api, "PATCH", `/waybill-offers/${lineId}`, { body });
      expect(answer.status).toBe(422);
      expect(answer.body.detail).toMatchObject([{ type, loc: ["body", Object.keys(body)[0]] }]);
    });
  });

  describe("DELETE /waybill-offers/{id}", () => {
    const remove = (id: string) => send(api, "DELETE", `/waybill-offers/${id}`);

    test("takes a line off a pending waybill", async () => {
      const { lineId } = await withLine();
      expect(await remove(lineId)).toMatchObject({ status: 204, text: "" });
      expect(await stored(lineId)).toBeNull();
      expect(await remove(lineId)).toMatchObject({ status: 404, body: { detail: "Offer not found in waybill" } });
    });

    test("answers 409 when the waybill is committed", async () => {
      const { waybillId, lineId } = await withLine();
      await commit(waybillId);
      expect(await remove(lineId)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining(`Waybill '${waybillId}' is committed`) },
      });
      expect(await stored(lineId)).not.toBeNull();
    });
  });
});
