import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { type Installation, readers } from "./installation.ts";

/** What is done with an installation as its users do it; throws a sentence on what failed. */
export interface Step {
  name: string;
  run(it: Installation): Promise<void>;
}

/** A busy machine may take long. */
const patienceMs = 120_000;

async function until(what: string, condition: () => Promise<boolean>) {
  for (const end = Date.now() + patienceMs; !(await condition()); await sleep(100))
    if (Date.now() > end) throw new Error(`${what}: not after ${patienceMs / 1_000} s`);
}

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes; each step reads what its route promises.
  body: any;
}

async function ask(it: Installation, method: string, path: string, body?: object, token?: string): Promise<Answer> {
  const isForm = body instanceof FormData;
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && !isForm && { "content-type": "application/json" }),
  };
  const sent = { method, headers, ...(body && { body: isForm ? body : JSON.stringify(body) }) };
  const answer = await fetch(it.api() + path, sent);
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text };
}

async function done(it: Installation, ...rest: [string, string, object?, string?]) {
  const { status, body } = await ask(it, ...rest);
  if (status >= 300) throw new Error(`${rest[0]} ${rest[1]} answered ${status}: ${JSON.stringify(body).slice(0, 300)}`);
  return body;
}

async function mailsTo(it: Installation, recipient: string): Promise<{ subject: string }[]> {
  const answer = await fetch(`${it.mailbox.pageUrl}/api/messages?recipient=${encodeURIComponent(recipient)}`);
  return (await answer.json()) as { subject: string }[];
}

const orderOf = ({ offer }: Installation, email: string) => ({
  ...{ status: "NEW", note: null, address: "ул. Хрусталёва, 74Ж", country: "RUS", city: "Севастополь" },
  ...{ shipping_method: "CARGO", shipping_company: "CDEK", user_id: null, first_name: "Иван", last_name: "Петров" },
  ...{ email, phone: "+79780000000" },
  order_offers: [{ offer_id: offer.id, ...offer, id: undefined, quantity: 1 }],
});

/** Two that run at the same time do the work once. */
const migrateTwice: Step = {
  name: "migrate twice",
  async run(it) {
    const first = it.migrate();
    if (first.code !== 0 || !first.output.includes("migrated:")) throw new Error(first.output.slice(-500));
    const second = it.migrate();
    if (second.code !== 0 || !second.output.includes("schema is current")) throw new Error(second.output.slice(-500));
    await it.seed();
    await it.startProcesses();
  },
};

const photo: Step = {
  name: "photo",
  async run(it) {
    const noise = { type: "gaussian", mean: 128, sigma: 20 } as const;
    const picture = sharp({ create: { width: 1_600, height: 1_200, channels: 3, background: "white", noise } });
    const form = new FormData();
    form.set("name", "Photo");
    const blob = new Blob([new Uint8Array(await picture.jpeg().toBuffer())], { type: "image/jpeg" });
    form.set("image_blob", blob, "photo.jpg");
    const { id } = await done(it, "POST", "/categories", form, it.tokens.employee);
    let images: { url: string; type: string }[] = [];
    await until("the photo's images", async () => {
      ({ images } = await done(it, "GET", `/categories/${id}`));
      return images.length === 4;
    });
    for (const { url } of images) {
      const answer = await fetch(url);
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${bytes.toString().slice(0, 300)}`);
      if (!(await sharp(bytes).metadata()).width) throw new Error(`${url} is no picture`);
    }
  },
};

const orderAndMail: Step = {
  name: "order and mail",
  async run(it) {
    const orders = Array.from({ length: 6 }, (_, n) => done(it, "POST", "/orders", orderOf(it, `guest${n}@shop.test`)));
    await Promise.all(orders);
    await until("a mail for each order", async () => {
      const counts = await Promise.all(orders.map((_order, n) => mailsTo(it, `guest${n}@shop.test`)));
      return counts.every(({ length }) => length === 1);
    });
  },
};

const waybillAndDocument: Step = {
  name: "waybill and document",
  async run(it) {
    const { employee } = it.tokens;
    const order = await done(it, "POST", "/orders", orderOf(it, "waybill@shop.test"));
    const waybill = await done(it, "POST", `/orders/${order.id}/convert`, {}, employee);
    await done(it, "POST", `/waybills/${waybill.id}/commit`, {}, employee);
    const wanted = { kind: "waybill", format: "pdf", parameters: { id: waybill.id } };
    const { id } = await done(it, "POST", "/documents", wanted, employee);
    await until(
      "the document",
      async () => (await done(it, "GET", `/documents/${id}`, undefined, employee)).download_url !== null,
    );
    const headers = { authorization: `Bearer ${employee}` };
    const file = await fetch(`${it.api()}/documents/${id}/download`, { headers, redirect: "follow" });
    const bytes = Buffer.from(await file.arrayBuffer());
    if (!file.ok || bytes.subarray(0, 5).toString() !== "%PDF-") throw new Error(`download answered ${file.status}`);
  },
};

const newsletter: Step = {
  name: "newsletter of 50",
  async run(it) {
    const { admin } = it.tokens;
    await done(it, "POST", "/mail/newsletters", { customer_types: ["USER_WHOLESALE"] }, admin);
    await until("one mail for each reader", async () => {
      const all = await Promise.all(Array.from({ length: readers }, (_, n) => mailsTo(it, `reader${n + 1}@shop.test`)));
      if (all.some(({ length }) => length > 1)) throw new Error("A reader got the newsletter twice");
      return all.every(({ length }) => length === 1);
    });
  },
};

const webhook: Step = {
  name: "webhooks",
  async run(it) {
    const endpoint = { url: it.hook.url, description: "infra", event_types: ["order.created"] };
    await done(it, "POST", "/webhook-endpoints", endpoint, it.tokens.admin);
    const { id } = await done(it, "POST", "/orders", orderOf(it, "webhook@shop.test"));
    const told = () => it.hook.received.filter((body) => body.includes(id));
    await until("the webhook", async () => told().length > 0);
    await sleep(1_000);
    if (told().length > 1) throw new Error(`The webhook came ${told().length} times`);
  },
};

const pause: Step = {
  name: "pause",
  async run(it) {
    const { admin } = it.tokens;
    const path = "/queues/mail/pause";
    await done(it, "PUT", path, { reason: "infra" }, admin);
    const email = "paused@shop.test";
    // A worker that waits for a job gets one more.
    await sleep(1_500);
    await done(it, "POST", "/orders", orderOf(it, email));
    await sleep(3_000);
    if ((await mailsTo(it, email)).length > 0) throw new Error("A mail was sent while the queue was paused");
    await done(it, "DELETE", path, undefined, admin);
    await until("the mail after the pause", async () => (await mailsTo(it, email)).length === 1);
  },
};

/** Orders come in while each server of the row is restarted; each that was accepted is mailed once. */
const restart: Step = {
  name: "restart in the middle",
  async run(it) {
    for (const [n, part] of it.parts.entries()) {
      if (!part.restart) continue;
      const accepted: string[] = [];
      let isOver = false;
      const shop = async (guest: string) => {
        for (let order = 0; !isOver; order++) {
          const email = `${guest}-${order}@shop.test`;
          // As a client does that gets no answer: the key makes the repeat harmless.
          await orderOnce(it, email);
          accepted.push(email);
          await sleep(50);
        }
      };
      const guests = Promise.all([1, 2, 3].map((guest) => shop(`restart-${n}-${guest}`)));
      guests.catch(() => undefined);
      await sleep(500);
      await part.restart();
      await sleep(500);
      isOver = true;
      await guests;
      await until("a mail for each order", async () => {
        const counts = await Promise.all(accepted.map((email) => mailsTo(it, email)));
        const twice = accepted.filter((_email, at) => (counts[at]?.length ?? 0) > 1);
        if (twice.length > 0) throw new Error(`${twice[0]} got two mails for one order`);
        return counts.every(({ length }) => length === 1);
      });
    }
  },
};

async function orderOnce(it: Installation, email: string) {
  const headers = { "content-type": "application/json", "idempotency-key": email };
  const body = JSON.stringify(orderOf(it, email));
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(200)) {
    const answer = await fetch(`${it.api()}/orders`, { method: "POST", headers, body }).catch(() => undefined);
    const text = (await answer?.text().catch(() => "")) ?? "";
    if (answer?.status === 201) return;
    // 409: the first attempt is still running.
    if (answer && ![409, 502, 503, 504].includes(answer.status))
      throw new Error(`An order was answered ${answer.status}: ${text.slice(0, 300)}`);
  }
  throw new Error(`An order was not accepted within ${patienceMs / 1_000} s`);
}

export const steps: readonly Step[] = [
  migrateTwice,
  photo,
  orderAndMail,
  waybillAndDocument,
  newsletter,
  webhook,
  pause,
  restart,
];
