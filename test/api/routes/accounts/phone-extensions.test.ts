import { describe, expect, test } from "vitest";
import { useApi } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { guest, lineOf, type ShopBody } from "../../../support/shop.ts";
import { addUser } from "../../../support/users.ts";

const api = useApi({ relay: false });
const ask = asker(api);
const written = "+7(978)0424666 доб. 12";
const kept = "+79780424666;ext=12";

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  test("the phone number of an order keeps its extension, also when the order is sent back", async () => {
    const { id: offerId } = await addOffer(api.db, { quantity: 5 });
    const body = { ...guest, phone: written, order_offers: [lineOf(offerId)] };
    const order = await ask<ShopBody>(`POST ${base}/orders`, { as: "anonymous", body });
    expect([order.status, order.body.phone]).toEqual([201, kept]);
    const changed = await ask<ShopBody>(`PATCH ${base}/orders/${order.body.id}`, { body: order.body });
    expect([changed.status, changed.body.phone]).toEqual([200, kept]);
  });

  test("the phone number of a user and of an address keep their extensions", async () => {
    const { id } = await addUser(api.db);
    const user = await ask<ShopBody>(`PATCH ${base}/users/${id}`, { body: { phone: written } });
    expect([user.status, user.body.phone]).toEqual([200, kept]);
    const address = { first_name: "Нина", last_name: "Ли", city: "Ялта", street: "Ленина", postal_code: "298600" };
    const as = { token: await api.identity.token(id) };
    const made = await ask<ShopBody>(`POST ${base}/addresses`, {
      as,
      body: { ...address, phone: written, shipping_method: "CARGO" },
    });
    expect([made.status, made.body.phone]).toEqual([201, kept]);
    const found = await ask(`GET ${base}/users?search_term=${encodeURIComponent("9780424666;ext=12")}`);
    expect(found.body.items.map((one) => one.id)).toContain(id);
  });

  test("more than a number and its extension is refused, with a sentence", async () => {
    const { id } = await addUser(api.db);
    const { status, body } = await ask(`PATCH ${base}/users/${id}`, { body: { phone: `${written} или 13` } });
    expect(status).toBe(422);
    expect(body.detail).toMatchObject([{ msg: "value is not a valid phone number", loc: ["body", "phone"] }]);
  });
});
