import { describe, expect, test } from "vitest";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { type Shown, send } from "../../../support/send.ts";
import { addWaybill } from "../../../support/waybills.ts";

interface Page {
  items: Shown[];
  total: number;
  pages: number;
}

describe("stock movements", () => {
  const api = useApi({ relay: false });
  const unknownId = "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81";

  const list = async (query: string) => (await send<Page>(api, "GET", `/stock-movements?${query}`)).body;
  const sums = (query: string) => send(api, "GET", `/stock-movements/sums?${query}`);
  const commit = async (values: Parameters<typeof addWaybill>[1], token = api.tokens.employee) => {
    const waybill = await addWaybill(api.db, values);
    expect((await send(api, "POST", `/waybills/${waybill.id}/commit`, { token })).status).toBe(201);
    return waybill;
  };

  test("are for staff", async () => {
    for (const path of ["/stock-movements", "/stock-movements/sums"]) {
      expect((await send(api, "GET", path, { token: "" })).status).toBe(401);
      expect((await send(api, "GET", path, { token: api.tokens.user })).status).toBe(403);
    }
  });

  test("show who moved what, from what to what, the newest first", async () => {
    const offer = await addOffer(api.db);
    const first = await commit({ waybillType: "WAYBILL_IN", lines: [{ offerId: offer.id, quantity: 5 }] });
    const lines = [
      { offerId: offer.id, quantity: 1 },
      { offerId: offer.id, quantity: 12 },
    ];
    const second = await commit({ lines }, api.tokens.admin);
    const page = await list(`offer_id=${offer.id}`);
    expect(page.total).toBe(3);
    const steps = page.items.map((one) => [one.delta, one.quantity_before, one.quantity_after, one.waybill_offer_id]);
    expect(steps).toEqual([
      [-12, 14, 2, second.lineIds[1]],
      [-1, 15, 14, second.lineIds[0]],
      [5, 10, 15, first.lineIds[0]],
    ]);
    expect(page.items[0]).toEqual({
      id: expect.any(String),
      offer_id: offer.id,
      waybill_id: second.id,
      waybill_offer_id: second.lineIds[1],
      waybill_type: "WAYBILL_OUT",
      delta: -12,
      quantity_before: 14,
      quantity_after: 2,
      user_id: userIds.admin,
      user: { id: userIds.admin, first_name: "admin", last_name: "Test" },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  test("can be asked for by offer and by waybill, a page at a time", async () => {
    const [one, other] = [await addOffer(api.db), await addOffer(api.db)];
    const lines = [{ offerId: one.id }, { offerId: other.id }];
    const [first, second] = [await commit({ lines }), await commit({ lines })];
    const offersOf = async (query: string) => (await list(query)).items.map((item) => item.offer_id);
    expect(await offersOf(`waybill_id=${first.id}`)).toEqual([other.id, one.id]);
    expect(await offersOf(`waybill_id=${second.id}&offer_id=${one.id}`)).toEqual([one.id]);
    expect(await list(`offer_id=${one.id}&page=2&size=1`)).toMatchObject({
      total: 2,
      pages: 2,
      items: [{ waybill_id: first.id }],
    });
    expect(await list(`offer_id=${unknownId}`)).toMatchObject({ items: [], total: 0, pages: 0 });
    expect((await list("size=3")).items).toHaveLength(3);
    expect((await send(api, "GET", "/stock-movements?offer_id=x")).status).toBe(422);
  });

  test("add up to the stock", async () => {
    const offer = await addOffer(api.db, { quantity: 100 });
    expect((await sums(`offer_id=${offer.id}`)).body).toEqual({
      offer_id: offer.id,
      movements: 0,
      sum_delta: 0,
      quantity: 100,
    });
    await commit({ lines: [{ offerId: offer.id, quantity: 30 }] });
    await commit({ waybillType: "WAYBILL_RETURN", lines: [{ offerId: offer.id, quantity: 4 }] });
    expect(await sums(`offer_id=${offer.id}`)).toMatchObject({
      status: 200,
      body: { offer_id: offer.id, movements: 2, sum_delta: -26, quantity: 74 },
    });
  });

  test("have no sums of an unknown offer or of none", async () => {
    expect(await sums(`offer_id=${unknownId}`)).toMatchObject({ status: 404, body: { detail: "Offer not found" } });
    const missing = await sums("");
    expect(missing.status).toBe(422);
    expect(missing.body.detail).toMatchObject([{ type: "missing", loc: ["query", "offer_id"], input: null }]);
  });

  test("take as many statements for twenty as for one", async () => {
    const offer = await addOffer(api.db, { quantity: 100 });
    const lines = Array.from({ length: 20 }, () => ({ offerId: offer.id }));
    const [one, twenty] = [await commit({ lines: lines.slice(0, 1) }), await commit({ lines })];
    const count = (id: string) => countStatements(api.db, () => list(`waybill_id=${id}`));
    // Who asks, the page, and how many there are in all.
    expect([await count(one.id), await count(twenty.id)]).toEqual([3, 3]);
  });
});
