import { describe, expect, test } from "vitest";
import { useApi, userIds } from "../support/api.ts";
import { addOffer } from "../support/catalogue.ts";
import { type ClientCall, pathOf, readAs } from "../support/clients/client-call.ts";
import { warehouseCalls } from "../support/clients/warehouse.ts";
import { addOrder } from "../support/orders.ts";
import { type SendOptions, send } from "../support/send.ts";

describe("the warehouse", () => {
  const api = useApi({ relay: false });

  /** Sends a call as the client does, and reads the answer with its schema. */
  async function run<C extends ClientCall>(call: C, values: Record<string, string> = {}, options: SendOptions = {}) {
    const answer = await send<unknown>(api, call.method, `/warehouse${pathOf(call, values)}`, options);
    expect(answer.status).toBeLessThan(300);
    return call.shape === "status" ? undefined : readAs(call, answer.body);
  }

  test("makes a waybill, changes it by sending back whole objects, commits it and finds it again", async () => {
    const [offer, other] = [await addOffer(api.db), await addOffer(api.db)];
    const line = { brand: "ACME", manufacturer_number: "AC-100", price_rub: 1_000, quantity: 2 };
    const made = await run(
      warehouseCalls.W34,
      {},
      {
        body: {
          customer_id: userIds.user,
          waybill_type: "WAYBILL_OUT",
          is_pending: true,
          note: null,
          waybill_offers: [{ ...line, offer_id: offer.id }],
        },
      },
    );
    const waybill = readAs(warehouseCalls.W34, made);
    const ids = { waybill_id: waybill.id };

    await run(warehouseCalls.W35, ids, { body: { ...waybill, note: "к обеду" } });
    const added = readAs(
      warehouseCalls["W37.add"],
      await run(warehouseCalls["W37.add"], ids, { body: { ...line, offer_id: other.id } }),
    );
    const addedIds = { waybill_offer_id: added.id };
    await run(warehouseCalls["W37.change"], addedIds, { body: { ...added, quantity: 3 } });
    await run(warehouseCalls["W37.delete"], addedIds);
    expect(await run(warehouseCalls["W33.offers"], ids)).toHaveLength(1);

    await run(warehouseCalls["W36.commit"], ids);
    await run(warehouseCalls["W36.commit"], ids);
    const search = { term: "", size: "10", page: "1" };
    const found = readAs(warehouseCalls["W32.all"], await run(warehouseCalls["W32.all"], search));
    expect(found.items.map(({ id, is_pending, note }) => [id, is_pending, note])).toEqual([
      [waybill.id, false, "к обеду"],
    ]);
    const filtered = { ...search, waybill_type: "WAYBILL_OUT" };
    expect(await run(warehouseCalls["W32.filtered"], filtered)).toMatchObject({ items: [], total: 0 });
    expect(await run(warehouseCalls["W33.id"], ids)).toMatchObject({
      is_pending: false,
      customer: { balance_rub: -2_000 },
    });
    expect(await run(warehouseCalls["W33.count"])).toEqual({ count: 1 });
    expect(await run(warehouseCalls.W38)).toMatchObject([{ sold: 2, revenue: 2_000 }]);
  });

  test("converts an order with a JSON request that has no body, and deletes the waybill again", async () => {
    const order = await addOrder(api.db);
    const waybill = readAs(warehouseCalls.W24, await run(warehouseCalls.W24, { order_id: order.id }));
    expect(waybill).toMatchObject({ order_id: order.id, is_pending: true });
    await run(warehouseCalls["W36.delete"], { waybill_id: waybill.id });
  });
});
