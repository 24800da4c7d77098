import { beforeAll, describe, expect, test } from "vitest";
import { loadDemo } from "../../dev/demo/load.ts";
import { demoUsers } from "../../dev/demo/users.ts";
import { useApi } from "../support/api.ts";
import { journeyOf, type Sent } from "../support/clients/journey.ts";
import { warehouseBase, warehouseCalls } from "../support/clients/warehouse.ts";
import { flatJpeg, redPng } from "../support/images.ts";

const api = useApi({ relay: false });
const journey = journeyOf(api, warehouseBase, warehouseCalls);
let token = "";
/** As a member of staff who may do everything. */
const make = (name: keyof typeof warehouseCalls, sent: Sent = {}) => journey.make(name, { token, ...sent });
const picture = async () => new Blob([new Uint8Array(await redPng())]);

beforeAll(async () => {
  // The worker has told sharp to take no drawings, for all of this process.
  await loadDemo(api.db, api.context.store, "small", { draw: () => flatJpeg() });
  token = await api.identity.token(String(demoUsers.find(({ role }) => role === "ADMIN")?.id));
}, 60_000);

/** What its forms carry: the whole object as text, without what is null. */
function formOf(object: Record<string, unknown>, image?: Blob) {
  const filled = Object.entries(object).filter(([, value]) => value !== null && value !== undefined);
  const texts = Object.fromEntries(filled.map(([key, value]) => [key, String(value)]));
  return { ...texts, ...(image && { image_blob: image }) };
}

/** A line of an order or a waybill as its dialogs make it. */
async function aLine(quantity: number) {
  const [row] = await api.db.query(
    "SELECT id AS offer_id, brand, manufacturer_number, price_rub FROM offers WHERE quantity > 20 ORDER BY id LIMIT 1",
  );
  return { ...row, quantity };
}

describe("the warehouse", () => {
  test("keeps categories, sub-categories, products and offers", async () => {
    const category = await make("W3", { form: { name: "Кемпинг", image_blob: await picture() } });
    expect((await make("W1")).map(({ id }: { id: string }) => id)).toContain(category.id);
    const renamed = await make("W4", {
      values: { category_id: category.id },
      form: formOf({ ...category, name: "Кемпинг и отдых" }, await picture()),
    });
    expect([renamed.name, renamed.slug]).toEqual(["Кемпинг и отдых", "kemping-i-otdykh"]);
    expect((await make("W2.slug", { values: { slug: "kemping-i-otdykh" } })).id).toBe(category.id);
    expect(await make("W2.id", { values: { category_id: category.id } })).toEqual(renamed);

    const form = { name: "Палатки", category_id: category.id, image_blob: await picture() };
    const shelf = await make("W8.create", { form });
    const values = { sub_category_id: shelf.id, category_id: category.id };
    await make("W8.change", { values, form: { ...formOf(shelf), name: "Шатры", category: "[object Object]" } });
    const shelves = await make("W6", { values });
    expect(shelves.map(({ slug }: { slug: string }) => slug)).toEqual(["shatry"]);
    expect((await make("W7", { values: { slug: "shatry" } })).id).toBe(shelf.id);

    const product = await make("W11.create", {
      form: { name: "Шатёр пляжный", sub_category_id: shelf.id, image_blob: await picture() },
    });
    const ofProduct = { product_id: product.id };
    await make("W11.change", { values: ofProduct, form: { ...formOf(product), cross_number: "123, 456" } });
    expect((await make("W10", { values: ofProduct })).cross_number).toBe("123, 456");
    expect((await make("W9", { values })).total).toBe(1);

    const offer = await make("W16", {
      json: {
        address_id: "",
        brand: "ACME",
        manufacturer_number: "AC-100",
        internal_description: null,
        price_rub: 717,
        super_wholesale_price_rub: 572,
        product_id: product.id,
      },
    });
    expect(offer).toMatchObject({ address_id: null, wholesale_price_rub: 645, quantity: 0 });
    const ofOffer = { offer_id: offer.id };
    const changed = await make("W17", { values: ofOffer, json: { ...offer, address_id: "A-01", quantity: 50 } });
    expect([changed.address_id, changed.quantity]).toEqual(["A-01", 0]);
    expect(await make("W12.id", { values: ofOffer })).toEqual(changed);
    expect((await make("W12.list", { values: ofProduct })).total).toBe(1);

    await make("W18", { values: ofOffer });
    expect((await make("W12.list", { values: ofProduct })).total).toBe(0);
    await make("W11.delete", { values: ofProduct });
    const [spare] = [await make("W8.create", { form: { ...form, name: "Гамаки", image_blob: await picture() } })];
    await make("W8.delete", { values: { sub_category_id: spare.id } });
    const empty = await make("W3", { form: { name: "Лишняя", image_blob: await picture() } });
    await make("W5", { values: { category_id: empty.id } });
  });

  test("looks at its dashboard and searches", async () => {
    const all = (await make("W13.all")).count;
    expect((await make("W13.in-stock")).count).toBeLessThan(all);
    expect((await make("W13.with-image")).count).toBeLessThanOrEqual(all);
    const [{ manufacturer_number: term }] = await api.db.query("SELECT manufacturer_number FROM offers LIMIT 1");
    const found = await make("W14", { values: { term, size: "5", page: "1" } });
    expect(found.items[0].manufacturer_number).toBe(term);
    expect((await make("W15", { values: { term } })).total).toBeGreaterThan(0);
    expect((await make("W38")).length).toBeGreaterThan(0);
    expect((await make("W39")).total).toBeGreaterThan(0);
  });

  test("takes an order without contact fields, changes its lines and its status, and makes a waybill of it", async () => {
    const address_id = "356f1d6f-0514-4e40-aad5-d59b91674320";
    const line = await aLine(2);
    const order = await make("W23", { json: { address_id, status: "NEW", note: "звонить", order_offers: [line] } });
    expect(order).toMatchObject({ address_id, note: "звонить", address: { id: address_id } });
    const values = { order_id: order.id };
    const added = await make("W27", { values, json: { ...line, quantity: 1 } });
    const ofLine = { order_offer_id: added.id };
    expect((await make("W28.change", { values: ofLine, json: { ...added, quantity: 3 } })).quantity).toBe(3);
    await make("W28.delete", { values: ofLine });
    expect(await make("W22", { values })).toHaveLength(1);
    const changed = await make("W25", { values, json: { ...order, status: "IN_PROGRESS" } });
    expect(changed.status).toBe("IN_PROGRESS");
    expect(await make("W20", { values })).toEqual(changed);
    const waybill = await make("W24", { values, empty: true });
    expect(waybill).toMatchObject({ order_id: order.id, is_pending: true, note: "звонить" });

    const spare = await make("W23", { json: { address_id, status: "NEW", note: null, order_offers: [line] } });
    await make("W26", { values: { order_id: spare.id } });
  });

  test("can read every order, user and waybill that there is", async () => {
    const orders = await make("W19.all");
    expect(orders.items).toHaveLength(orders.total);
    expect(new Set(orders.items.map(({ status }: { status: string }) => status)).size).toBe(5);
    const { user } = orders.items[0];
    await make("W19.filtered", { values: { user_id: user.id, status: "NEW" } });
    expect((await make("W21")).count).toBe(orders.total);

    const users = await make("W29.all");
    expect(users.items).toHaveLength(users.total);
    const filter = { role: "USER", customer_type: "USER_WHOLESALE", term: "" };
    expect((await make("W29.filtered", { values: filter })).total).toBeGreaterThan(0);
    expect((await make("W30.count")).count).toBe(users.total);

    const everything = { term: "", size: "500", page: "1" };
    const waybills = await make("W32.all", { values: everything });
    expect(waybills.items).toHaveLength(waybills.total);
    const pending = await make("W32.filtered", { values: { ...everything, waybill_type: "WAYBILL_OUT" } });
    expect(pending.total).toBeGreaterThan(0);
    expect((await make("W33.count")).count).toBe(waybills.total);
  });

  test("changes a customer by sending him back whole, without three of his balances", async () => {
    const user_id = String(demoUsers.find(({ email }) => email === "retail@example.com")?.id);
    const user = await make("W30.id", { values: { user_id } });
    const changed = await make("W31", { values: { user_id }, json: { ...user, mailing: !user.mailing } });
    expect(changed.mailing).toBe(!user.mailing);
    const [{ clerk_id }] = await api.db.query("SELECT clerk_id FROM users WHERE clerk_id IS NOT NULL LIMIT 1");
    expect((await make("W30.clerk", { values: { clerk_id } })).clerk_id).toBe(clerk_id);
  });

  test("writes a waybill, changes its lines, commits it and deletes another", async () => {
    const customer_id = String(demoUsers.find(({ email }) => email === "retail@example.com")?.id);
    const line = await aLine(1);
    const json = { customer_id, waybill_type: "WAYBILL_OUT", is_pending: true, note: null, waybill_offers: [line] };
    const waybill = await make("W34", { json });
    const values = { waybill_id: waybill.id };
    const added = await make("W37.add", { values, json: line });
    const ofLine = { waybill_offer_id: added.id };
    expect((await make("W37.change", { values: ofLine, json: { ...added, quantity: 2 } })).quantity).toBe(2);
    await make("W37.delete", { values: ofLine });
    expect(await make("W33.offers", { values })).toHaveLength(1);
    expect((await make("W35", { values, json: { ...waybill, note: "срочно" } })).note).toBe("срочно");
    const committed = await make("W36.commit", { values });
    expect(committed.is_pending).toBe(false);
    expect(await make("W33.id", { values })).toEqual(committed);
    expect((await make("W35", { values, json: { ...committed, note: "отдано" } })).note).toBe("отдано");
    const spare = await make("W34", { json });
    await make("W36.delete", { values: { waybill_id: spare.id } });
  });

  test("makes every call that it has", () => {
    expect(Object.keys(warehouseCalls).filter((name) => !journey.made.has(name as never))).toEqual([]);
  });
});
