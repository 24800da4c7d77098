import { beforeAll, describe, expect, test } from "vitest";
import { loadDemo } from "../../dev/demo/load.ts";
import { demoUsers } from "../../dev/demo/users.ts";
import { useApi } from "../support/api.ts";
import { journeyOf } from "../support/clients/journey.ts";
import { storefrontCalls } from "../support/clients/storefront.ts";
import { flatJpeg } from "../support/images.ts";

const api = useApi({ relay: false });
const { make, made } = journeyOf(api, "", storefrontCalls);
const customer = demoUsers.find(({ email }) => email === "wholesale@example.com");
const employee = demoUsers.find(({ role }) => role === "EMPLOYEE");

const contact = { first_name: "Иван", last_name: "Петров", email: "buyer@example.com", phone: "+7 (978) 042-46-66" };
const pickUp = { shipping_method: "SELF_PICKUP", address: null, country: null, city: null, shipping_company: null };
const cargo = {
  shipping_method: "CARGO",
  address: "ул. Хрусталёва, 74Ж",
  country: "RUS",
  city: "Севастополь",
  shipping_company: "CDEK",
};

beforeAll(async () => {
  // The worker has told sharp to take no drawings, for all of this process.
  await loadDemo(api.db, api.context.store, "small", { draw: () => flatJpeg() });
}, 60_000);

/** An offer that can be ordered, as the storefront's cart keeps it. */
async function anOffer() {
  const [{ id }] = await api.db.query("SELECT id FROM offers WHERE quantity > 2 ORDER BY id LIMIT 1");
  const { items } = await make("S14", { json: [id] });
  const { brand, manufacturer_number, price_rub } = items[0];
  return { offer_id: id, brand, manufacturer_number, quantity: 2, price_rub };
}

describe("the storefront", () => {
  test("reads the catalogue from its categories down to offers", async () => {
    const categories = await make("S1");
    expect(categories.items.length).toBe(categories.total);
    const [category] = categories.items;
    expect(await make("S2", { values: { slug: category.slug } })).toEqual(category);
    expect(await make("S3", { values: { category_id: category.id } })).toEqual(category);
    const shelves = await make("S4");
    expect(shelves.items.length).toBe(shelves.total);
    const counts = await make("S11");
    expect(counts[category.name]).toBeGreaterThan(0);
    const own = await make("S5", { values: { category_id: category.id } });
    const shelfCounts = await make("S12", { values: { category_id: category.id } });
    const shelf = own.items.find(({ name }: { name: string }) => shelfCounts[name] > 0);
    expect(await make("S6", { values: { slug: shelf.slug } })).toEqual(shelf);

    const products = await make("S8", { values: { slug: shelf.slug } });
    expect(products.total).toBe(shelfCounts[shelf.name]);
    const [product] = products.items;
    expect(await make("S9", { values: { slug: product.slug } })).toEqual(product);
    expect(await make("S20.product", { values: { product_id: product.id } })).toEqual(product);
    const byShelf = { sub_category_id: shelf.id, is_deleted: "false" };
    expect((await make("S20.products", { values: byShelf })).items).toEqual(products.items);
    expect((await make("S20.products-count", { values: byShelf })).count).toBe(products.total);

    const offers = await make("S13", { values: { slug: product.slug } });
    expect((await make("S20.offers", { values: { product_id: product.id } })).items).toEqual(offers.items);
    const ids = offers.items.map(({ id }: { id: string }) => id);
    const again = await make("S14", { json: ids });
    expect(again.items.map(({ id }: { id: string }) => id).sort()).toEqual(ids.sort());
  });

  test("makes its sitemap of all products", async () => {
    const { items, total } = await make("S7");
    expect(items).toHaveLength(total);
    expect(total).toBe(300);
  });

  test("finds the new address of an old one", async () => {
    const [{ bitrix_id, id }] = await api.db.query(
      "SELECT id, bitrix_id FROM products WHERE bitrix_id IS NOT NULL LIMIT 1",
    );
    expect((await make("S10", { values: { bitrix_id } })).id).toBe(id);
  });

  test("searches and counts", async () => {
    const [{ brand }] = await api.db.query("SELECT brand FROM offers LIMIT 1");
    const found = await make("S20.text-search", { values: { term: brand, size: "5", page: "1" } });
    expect(found.items[0].brand).toBe(brand);
    expect((await make("S20.wildcard", { values: { term: brand } })).total).toBeGreaterThan(0);
    expect((await make("S20.offers-count")).count).toBe(780);
  });

  test.each([
    ["picks up", pickUp],
    ["is sent", cargo],
  ])("lets a guest order what he %s, and shows the order to a visitor who knows its id", async (_how, shipping) => {
    const line = await anOffer();
    const json = { ...contact, ...shipping, status: "NEW", note: null, user_id: null, order_offers: [line] };
    const order = await make("S15", { json });
    const { email, first_name, last_name } = contact;
    expect(order).toMatchObject({
      ...shipping,
      email,
      first_name,
      last_name,
      status: "NEW",
      user: null,
      waybill: null,
    });
    expect(order.total_sum).toBe(2 * line.price_rub);
    expect(await make("S16", { values: { order_id: order.id } })).toEqual(order);
  });

  test("shows a customer his orders and his profile", async () => {
    const user_id = String(customer?.id);
    const token = await api.identity.token(user_id);
    const { items, total } = await make("S17", { values: { user_id }, token });
    expect(total).toBeGreaterThan(0);
    expect(new Set(items.map(({ user }: { user: { id: string } }) => user.id))).toEqual(new Set([user_id]));
    expect((await make("S18", { values: { user_id }, token })).id).toBe(user_id);
  });

  test("can read every order, waybill and user that there is", async () => {
    const token = await api.identity.token(String(employee?.id));
    const [{ ids }] = await api.db.query(
      "SELECT array_agg(DISTINCT user_id) AS ids FROM orders WHERE user_id IS NOT NULL",
    );
    for (const user_id of ids) await make("S17", { values: { user_id }, token });
    const guests = await api.db.query("SELECT id FROM orders WHERE user_id IS NULL");
    for (const { id } of guests) await make("S16", { values: { order_id: id } });
    const users = await api.db.query("SELECT id FROM users WHERE email LIKE '%@example.com'");
    for (const { id } of users) await make("S18", { values: { user_id: id }, token });
  });

  test("counts and changes orders for staff", async () => {
    const token = await api.identity.token(String(employee?.id));
    const { count } = await make("S20.orders-count", { token });
    expect(count).toBeGreaterThan(0);
    const [{ id }] = await api.db.query("SELECT id FROM orders WHERE status = 'NEW' LIMIT 1");
    const order = await make("S20.change-order", { values: { order_id: id }, token, json: { status: "IN_PROGRESS" } });
    expect(order.status).toBe("IN_PROGRESS");
  });

  test("makes every call that it has", () => {
    // The webhook comes from its identity provider, with a secret; test/api/routes/webhooks/webhooks.test.ts sends it.
    expect(Object.keys(storefrontCalls).filter((name) => !made.has(name as never))).toEqual(["S19"]);
  });
});
