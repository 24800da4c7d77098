import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { Cart } from "../../../../src/db/entities/orders/cart.ts";
import { CartOffer } from "../../../../src/db/entities/orders/cart-offer.ts";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { useApi } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { readAs } from "../../../support/clients/client-call.ts";
import { storefrontCalls } from "../../../support/clients/storefront.ts";
import { warehouseCalls } from "../../../support/clients/warehouse.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addManyOffers } from "../../../support/many-offers.ts";
import { guest, lineOf, type Sending, send } from "../../../support/shop.ts";

const unknownId = "0198f6b0-0000-7000-8000-000000000000";

describe("the cart", () => {
  const api = useApi({ relay: false });
  let userId = "";
  let token = "";
  const employee = () => ({ token: api.tokens.employee });

  // A customer for each test, since everybody has one cart.
  beforeEach(async () => {
    userId = randomUUID();
    const name = { firstName: "Пётр", lastName: "Test" };
    await api.db.manager.insert(User, { id: userId, email: `${userId}@test.example`, ...name });
    token = await api.identity.token(userId);
  });

  const request = (method: string, path: string, body?: unknown, options: Sending = {}) =>
    send(api, method, path, body, { token, ...options });
  const cart = async () => (await request("GET", "/cart")).body;
  const add = (offerId: string, quantity = 1, options?: Sending) =>
    request("POST", "/cart/offers", { offer_id: offerId, quantity }, options);
  const merge = (offers: object[]) => request("POST", "/cart/merge", { offers });
  const checkOut = (extra: object = {}, options?: Sending) =>
    request("POST", "/cart/checkout", { ...guest, ...extra }, options);
  const quantities = async () => (await cart()).cart_offers.map(({ quantity }) => quantity);
  const carts = () => api.db.manager.findBy(Cart, { userId });
  const setUser = (change: Partial<User>) => api.db.manager.update(User, { id: userId }, change);
  const setOffer = (id: string, change: string) => api.db.query(`UPDATE offers SET ${change} WHERE id = $1`, [id]);

  describe("GET", () => {
    test("is empty before the first use, and writes nothing", async () => {
      expect(await cart()).toEqual({
        ...{ id: null, user_id: userId, status: "DRAFT", cart_offers: [], items_count: 0, total_quantity: 0 },
        ...{ total_sum: 0, created_at: null, updated_at: null },
      });
      expect(await carts()).toEqual([]);
    });

    test.each([
      ["USER_RETAIL", 717],
      ["USER_WHOLESALE", 646],
      ["USER_SUPER_WHOLESALE", 574],
    ] as const)("shows what a customer who is %s pays", async (customerType, price) => {
      await setUser({ customerType });
      const offer = await addOffer(api.db, { priceRub: 717, superWholesalePriceRub: 574, quantity: 3 });
      const { status, body } = await add(offer.id, 2);
      expect(status).toBe(201);
      expect(body).toMatchObject({ user_id: userId, items_count: 1, total_quantity: 2, total_sum: 2 * price });
      expect(body.cart_offers).toMatchObject([
        {
          ...{ offer_id: offer.id, quantity: 2, price_rub: price, seen_price_rub: price, price_changed: false },
          ...{ available: 3, is_short: false, is_out_of_stock: false, sum_rub: 2 * price, offer: { id: offer.id } },
        },
      ]);
      expect(await cart()).toEqual(body);
    });

    test("says which price has changed and what is short, out of stock or not sold any more", async () => {
      const [dear, short, out, gone] = [
        await addOffer(api.db, { priceRub: 100 }),
        await addOffer(api.db, { quantity: 5 }),
        await addOffer(api.db),
        await addOffer(api.db),
      ];
      for (const { id } of [dear, short, out, gone]) await add(id, 3);
      await setOffer(dear.id, "price_rub = 120");
      await setOffer(short.id, "quantity = 2");
      await setOffer(out.id, "quantity = 0");
      await setOffer(gone.id, "is_deleted = true");
      const body = await cart();
      expect(body.cart_offers).toMatchObject([
        { price_rub: 120, seen_price_rub: 100, price_changed: true, is_short: false, sum_rub: 360 },
        { price_changed: false, available: 2, is_short: true, is_out_of_stock: false },
        { available: 0, is_short: true, is_out_of_stock: true },
        { available: 0, is_short: true, is_out_of_stock: true, offer: { is_deleted: true } },
      ]);
      await api.db.query("UPDATE products SET is_deleted = true WHERE id = $1", [short.productId]);
      expect((await cart()).cart_offers[1]).toMatchObject({ available: 0, is_short: true });
    });

    test("of any user is for staff, at the prices of its owner", async () => {
      await setUser({ customerType: "USER_SUPER_WHOLESALE" });
      const offer = await addOffer(api.db, { priceRub: 717, superWholesalePriceRub: 574 });
      await add(offer.id);
      const path = `/carts/${userId}`;
      expect((await request("GET", path, undefined, employee())).body).toEqual(await cart());
      expect((await request("GET", path)).status).toBe(403);
      const unknown = await request("GET", `/carts/${randomUUID()}`, undefined, employee());
      expect([unknown.status, unknown.body.detail]).toEqual([404, "User not found"]);
    });

    test("takes as many statements for twenty lines as for one", async () => {
      await add((await addOffer(api.db)).id);
      await dropCatalogue(api.context.cache, "category");
      await cart();
      const one = await countStatements(api.db, cart);
      for (let n = 1; n < 20; n++) await add((await addOffer(api.db)).id);
      await dropCatalogue(api.context.cache, "category");
      await cart();
      const twenty = await countStatements(api.db, async () => expect((await cart()).items_count).toBe(20));
      // The caller, the cart, lines, offers, products.
      expect([one, twenty]).toEqual([5, 5]);
    });
  });

  describe("POST of an offer", () => {
    test("puts more of it in when it is in already, and its price counts as seen", async () => {
      const offer = await addOffer(api.db, { priceRub: 100 });
      await add(offer.id, 2);
      await setOffer(offer.id, "price_rub = 110");
      const { body } = await add(offer.id, 3);
      expect(body.cart_offers).toMatchObject([{ quantity: 5, price_rub: 110, seen_price_rub: 110 }]);
      expect(await carts()).toHaveLength(1);
    });

    test("keeps the offers in the order in which they were put in", async () => {
      const offers = [await addOffer(api.db), await addOffer(api.db), await addOffer(api.db)];
      for (const { id } of offers) await add(id);
      await add(offers[0]?.id ?? "");
      expect((await cart()).cart_offers.map(({ offer_id }) => offer_id)).toEqual(offers.map(({ id }) => id));
    });

    test("takes more than there is, and says so", async () => {
      const offer = await addOffer(api.db, { quantity: 1 });
      expect((await add(offer.id, 5)).body.cart_offers).toMatchObject([{ quantity: 5, is_short: true }]);
    });

    test("of an offer that is unknown or not sold any more is 404, and leaves no cart", async () => {
      const gone = await addOffer(api.db, { isDeleted: true });
      for (const id of [randomUUID(), gone.id]) {
        const { status, body } = await add(id);
        expect([status, body.detail]).toEqual([404, "Offer not found"]);
      }
      expect(await carts()).toEqual([]);
    });

    test("holds 200 offers and a million pieces of each", async () => {
      const ids = await addManyOffers(api.db, 201);
      const [id = "", last = ""] = [ids[0], ids[200]];
      const offers = ids.slice(0, 200).map((offer_id) => ({ offer_id, quantity: offer_id === id ? 999_999 : 1 }));
      expect((await merge(offers)).body).toMatchObject({ items_count: 200, skipped: [] });
      expect((await add(id)).status).toBe(201);
      const [pieces, lines] = [await add(id), await add(last)];
      expect([pieces.status, pieces.body.detail]).toEqual([
        409,
        `'1000001' pieces of offer '${id}' are more than the maximum of 1000000`,
      ]);
      expect([lines.status, lines.body.detail]).toEqual([409, "A cart holds at most 200 offers"]);
    });

    test("twice with one Idempotency-Key counts once", async () => {
      const offer = await addOffer(api.db);
      const key = randomUUID();
      await add(offer.id, 2, { key });
      expect((await add(offer.id, 2, { key })).body.total_quantity).toBe(2);
      expect((await add(offer.id, 3, { key })).status).toBe(422);
    });

    test("from many places at once is all counted, in one cart", async () => {
      const [one, two] = [await addOffer(api.db), await addOffer(api.db)];
      await Promise.all(Array.from({ length: 20 }, (_, n) => add(n % 2 ? one.id : two.id)));
      expect(await quantities()).toEqual([10, 10]);
      expect(await carts()).toHaveLength(1);
    });

    test.each([{}, { quantity: 1 }, { offer_id: "x", quantity: 1 }, { offer_id: unknownId, quantity: 0 }])(
      "refuses %j",
      async (body) => expect((await request("POST", "/cart/offers", body)).status).toBe(422),
    );
  });

  describe("PATCH and DELETE", () => {
    test("give an offer another quantity, and take it out", async () => {
      const [one, two] = [await addOffer(api.db, { priceRub: 100 }), await addOffer(api.db)];
      await add(one.id);
      await add(two.id);
      await setOffer(one.id, "price_rub = 110");
      const { status, body } = await request("PATCH", `/cart/offers/${one.id}`, { quantity: 7 });
      expect(status).toBe(200);
      expect(body.cart_offers).toMatchObject([{ quantity: 7, price_changed: true }, { quantity: 1 }]);
      expect((await request("DELETE", `/cart/offers/${two.id}`)).status).toBe(204);
      expect(await quantities()).toEqual([7]);
    });

    test("of what is not in the cart are 404, also when another customer has it", async () => {
      const offer = await addOffer(api.db);
      const path = `/cart/offers/${offer.id}`;
      await send(api, "POST", "/cart/offers", lineOf(offer.id), { token: api.tokens.user });
      const withoutCart = await request("PATCH", path, { quantity: 1 });
      await add((await addOffer(api.db)).id);
      const answers = [withoutCart, await request("PATCH", path, { quantity: 1 }), await request("DELETE", path)];
      for (const { status, body } of answers) expect([status, body.detail]).toEqual([404, "Offer not found in cart"]);
      expect((await request("PATCH", path, { quantity: 0 })).status).toBe(422);
    });

    test("empty it, however often", async () => {
      expect((await request("DELETE", "/cart")).status).toBe(204);
      await add((await addOffer(api.db)).id);
      expect((await request("DELETE", "/cart")).status).toBe(204);
      expect((await request("DELETE", "/cart")).status).toBe(204);
      expect(await cart()).toMatchObject({ cart_offers: [], total_sum: 0 });
    });
  });

  describe("merge", () => {
    test("takes the larger quantity of an offer in both, and leaves out what cannot be put in", async () => {
      const [mine, both, theirs] = [
        await addOffer(api.db),
        await addOffer(api.db, { priceRub: 100 }),
        await addOffer(api.db),
      ];
      const gone = await addOffer(api.db, { isDeleted: true });
      const unknown = randomUUID();
      await add(mine.id, 1);
      await add(both.id, 4);
      await setOffer(both.id, "price_rub = 110");
      const { status, body } = await merge([
        { offer_id: both.id, quantity: 2 },
        { offer_id: gone.id, quantity: 1 },
        { offer_id: theirs.id, quantity: 1 },
        { offer_id: unknown, quantity: 1 },
        { offer_id: theirs.id, quantity: 3 },
        { offer_id: mine.id, quantity: 6 },
      ]);
      expect(status).toBe(200);
      expect(body.cart_offers.map(({ offer_id, quantity }) => [offer_id, quantity])).toEqual([
        [mine.id, 6],
        [both.id, 4],
        [theirs.id, 3],
      ]);
      expect(body.cart_offers[1]).toMatchObject({ seen_price_rub: 100, price_changed: true });
      expect(body.skipped).toEqual([
        { offer_id: gone.id, reason: "deleted" },
        { offer_id: unknown, reason: "unknown" },
      ]);
      const again = await merge([{ offer_id: both.id, quantity: 2 }]);
      expect(again.body).toMatchObject({ total_quantity: 13, skipped: [] });
    });

    test("leaves out what no longer fits", async () => {
      const offers = (await addManyOffers(api.db, 202)).map((offer_id) => ({ offer_id, quantity: 1 }));
      const { body } = await merge(offers);
      expect(body.items_count).toBe(200);
      expect(body.skipped).toEqual(offers.slice(200).map(({ offer_id }) => ({ offer_id, reason: "full" })));
      expect((await merge([{ offer_id: offers[0]?.offer_id, quantity: 9 }])).body.skipped).toEqual([]);
    });

    test("of nothing changes nothing", async () => {
      expect((await merge([])).body).toMatchObject({ cart_offers: [], skipped: [] });
    });

    test("refuses what is no list of offers", async () => {
      for (const offers of [
        "x",
        undefined,
        [{ offer_id: "x", quantity: 1 }],
        [{ offer_id: randomUUID(), quantity: -1 }],
      ]) {
        expect((await request("POST", "/cart/merge", { offers })).status).toBe(422);
      }
    });
  });

  test("takes present prices as seen", async () => {
    expect((await request("POST", "/cart/seen")).body.cart_offers).toEqual([]);
    const offer = await addOffer(api.db, { priceRub: 100 });
    await add(offer.id);
    await setOffer(offer.id, "price_rub = 90");
    expect((await cart()).cart_offers).toMatchObject([{ seen_price_rub: 100, price_changed: true }]);
    const { status, body } = await request("POST", "/cart/seen");
    expect(status).toBe(200);
    expect(body.cart_offers).toMatchObject([{ price_rub: 90, seen_price_rub: 90, price_changed: false }]);
  });

  describe("checkout", () => {
    test("makes an order of it, and the next thing goes into a new cart", async () => {
      await setUser({ customerType: "USER_WHOLESALE" });
      const [one, two] = [
        await addOffer(api.db, { brand: "SKF", manufacturerNumber: "1", priceRub: 100, superWholesalePriceRub: 81 }),
        await addOffer(api.db, { brand: "NGK", manufacturerNumber: "2", priceRub: 10, superWholesalePriceRub: 10 }),
      ];
      await add(one.id, 2);
      await add(two.id, 3);
      const [before] = await carts();
      const { status, body } = await checkOut({ status: "COMPLETED", note: "Скорее", user_id: randomUUID() });
      expect(status).toBe(201);
      readAs(storefrontCalls.S16, body);
      expect(body).toMatchObject({
        ...{ status: "NEW", note: "Скорее", user: { id: userId }, total_sum: 2 * 91 + 3 * 10, phone: "+79780000000" },
        order_offers: [
          { offer_id: one.id, brand: "SKF", manufacturer_number: "1", quantity: 2, price_rub: 91 },
          { offer_id: two.id, brand: "NGK", manufacturer_number: "2", quantity: 3, price_rub: 10 },
        ],
      });
      expect(await carts()).toMatchObject([{ id: before?.id, status: "ORDERED", orderId: body.id }]);
      expect(await cart()).toMatchObject({ id: null, cart_offers: [] });
      await add(one.id);
      expect((await cart()).id).not.toBe(before?.id);
      expect(await api.db.manager.countBy(CartOffer, { cartId: String(before?.id) })).toBe(2);
    });

    test("shows the order of the warehouse as the warehouse has it", async () => {
      await add((await addOffer(api.db)).id);
      const { body } = await request("POST", "/warehouse/cart/checkout", { address_id: "x" });
      readAs(warehouseCalls.W23, body);
      expect(body).toMatchObject({ first_name: "Пётр", phone: "—", shipping_method: "OTHER" });
    });

    test("needs the contact as any order does", async () => {
      await add((await addOffer(api.db)).id);
      const { status, body } = await checkOut({ phone: undefined });
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type: "missing", loc: ["body", "phone"] }]);
      expect((await checkOut({ email: "x" })).status).toBe(422);
      expect(await quantities()).toEqual([1]);
    });

    test("is refused with every line that has become dearer, short or is gone, and nothing is ordered", async () => {
      const named = (manufacturerNumber: string) => addOffer(api.db, { brand: "B", manufacturerNumber, priceRub: 100 });
      const [fine, dear, short, gone] = [await named("1"), await named("2"), await named("3"), await named("4")];
      for (const { id } of [fine, dear, short, gone]) await add(id, 3);
      await setOffer(dear.id, "price_rub = 120");
      await setOffer(short.id, "quantity = 2");
      await setOffer(gone.id, "is_deleted = true");
      const orders = await api.db.manager.count(Order);
      const { status, body } = await checkOut();
      expect([status, body.detail]).toEqual([
        409,
        `The cart cannot be ordered as it is: 'B 3' (offer '${short.id}'): '3' wanted, 2 available; ` +
          `'B 4' (offer '${gone.id}') is not sold any more; 'B 2' (offer '${dear.id}') costs '120' roubles now, not 100. ` +
          "Please lower the quantities, take out what cannot be bought, send accept_changes to take the new prices",
      ]);
      expect((await checkOut({ accept_changes: true })).status).toBe(409);
      expect(await api.db.manager.count(Order)).toBe(orders);
      expect(await quantities()).toEqual([3, 3, 3, 3]);
    });

    test.each(["is_deleted = true", "quantity = 0"])(
      "is ordered once the advice of a refusal was followed: %s",
      async (change) => {
        const [gone, short] = [await addOffer(api.db), await addOffer(api.db)];
        for (const { id } of [gone, short]) await add(id, 3);
        await setOffer(gone.id, change);
        await setOffer(short.id, "quantity = 2");
        const { status, body } = await checkOut();
        expect([status, String(body.detail)]).toEqual([409, expect.stringMatching(/lower the quantities, take out/)]);
        expect((await request("DELETE", `/cart/offers/${gone.id}`)).status).toBe(204);
        expect((await request("PATCH", `/cart/offers/${short.id}`, { quantity: 2 })).status).toBe(200);
        expect((await checkOut()).status).toBe(201);
      },
    );

    test("takes changed prices when they are accepted, or were seen", async () => {
      const offer = await addOffer(api.db, { priceRub: 100 });
      for (const accept of [() => checkOut({ accept_changes: "yes" }), async () => checkOut(await seen())]) {
        await add(offer.id);
        await setOffer(offer.id, "price_rub = price_rub + 7");
        expect((await checkOut()).status).toBe(409);
        const { status, body } = await accept();
        const [row] = await api.db.query("SELECT price_rub FROM offers WHERE id = $1", [offer.id]);
        expect([status, body.total_sum]).toEqual([201, row.price_rub]);
      }
      async function seen() {
        await request("POST", "/cart/seen");
        return {};
      }
    });

    test("of an empty cart is refused", async () => {
      const nothing = await checkOut();
      await add((await addOffer(api.db)).id);
      await request("DELETE", "/cart");
      for (const { status, body } of [nothing, await checkOut()]) {
        expect([status, body.detail]).toEqual([409, "The cart is empty; there is nothing to order"]);
      }
    });

    test("twice gives one order: with the same key the same answer, without it a refusal", async () => {
      await add((await addOffer(api.db)).id);
      const key = randomUUID();
      const [first, second] = [await checkOut({}, { key }), await checkOut({}, { key })];
      expect([first.status, second.status]).toEqual([201, 201]);
      expect(second.body).toEqual(first.body);
      expect((await checkOut()).status).toBe(409);
      expect(await api.db.manager.countBy(Order, { userId })).toBe(1);
    });

    test("from two places at the same time gives one order", async () => {
      const offer = await addOffer(api.db, { quantity: 1_000 });
      for (let n = 1; n <= 10; n++) {
        await add(offer.id);
        const answers = await Promise.all([checkOut(), checkOut(), checkOut()]);
        expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
        expect(await api.db.manager.countBy(Order, { userId })).toBe(n);
      }
      const sums = await api.db.query(
        "SELECT sum(quantity)::int AS pieces FROM order_offers JOIN orders ON orders.id = order_id WHERE user_id = $1",
        [userId],
      );
      expect(sums).toEqual([{ pieces: 10 }]);
    });

    test("while something is put in orders it, or leaves it in the next cart", async () => {
      const [one, two] = [await addOffer(api.db, { quantity: 1_000 }), await addOffer(api.db, { quantity: 1_000 })];
      for (let n = 0; n < 10; n++) {
        await add(one.id);
        const [ordered, put] = await Promise.all([checkOut(), add(two.id)]);
        expect([ordered.status, put.status]).toEqual([201, 201]);
        const inside = [...ordered.body.order_offers, ...(await cart()).cart_offers].map(({ offer_id }) => offer_id);
        expect(inside.toSorted()).toEqual([one.id, two.id].toSorted());
        await request("DELETE", "/cart");
      }
    });
  });
});
