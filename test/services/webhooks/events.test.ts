import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Event } from "../../../src/db/entities/webhooks/event.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { claimJobs, finishJobs, releaseJob, reopenJob } from "../../../src/engine/ledger.ts";
import { enqueue } from "../../../src/engine/outbox.ts";
import { deliverWebhook } from "../../../src/jobs/deliver-webhook.ts";
import { sendMail } from "../../../src/jobs/send-mail.ts";
import { noMailRules } from "../../../src/services/mail/mail-rules.ts";
import { cancelJob } from "../../../src/services/operations/job-control.ts";
import { changeOrder, createOrder } from "../../../src/services/orders/orders.ts";
import { movePayment } from "../../../src/services/payments/payment-states.ts";
import { createPayment } from "../../../src/services/payments/payments.ts";
import { commitWaybill } from "../../../src/services/stock/commit-waybill.ts";
import { fanOutEvents, recordEvent } from "../../../src/services/webhooks/events.ts";
import { userIds } from "../../support/api.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase, useKeyedPool } from "../../support/database.ts";
import { anAdmin } from "../../support/operators.ts";
import { addOrder } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";
import { addEndpoint } from "../../support/webhook-endpoints.ts";

const db = useDatabase();
const pool = useKeyedPool(db);
beforeAll(async () => {
  await addUser(db, { id: userIds.employee, role: "EMPLOYEE" });
  await addUser(db, { id: userIds.user, balanceRub: 10_000 });
});
beforeEach(async () => {
  await db.query("DELETE FROM webhook_endpoints; DELETE FROM events");
});

const eventsOf = async (entityId: string) => {
  const rows = await db.manager.find(Event, { where: { entityId }, order: { id: "ASC" } });
  return rows.map(({ type, entityType, data }) => ({ type, entityType, data }));
};
const deliveries = () => db.manager.findBy(Job, { kind: deliverWebhook.name });

describe("an event of an order", () => {
  test("tells of it without anything about people", async () => {
    const offer = await addOffer(db, { quantity: 5 });
    const id = await db.transaction((tx) =>
      createOrder(tx, {
        ...{ callerId: null, claimedUserId: null, status: "COMPLETED", note: "Ring twice" },
        contact: {
          ...{ firstName: "Иван", lastName: "Петров", email: "ivan@test.example", phone: "+79780424666" },
          ...{ shippingMethod: "SELF_PICKUP", shippingCompany: null, country: null, city: null, address: null },
        } as never,
        lines: [{ offerId: offer.id, quantity: 1 }],
      }),
    );
    expect(await eventsOf(id)).toEqual([{ type: "order.created", entityType: "order", data: { id, status: "NEW" } }]);
  });

  test("is made by a change of its status, and by no other change", async () => {
    const { id } = await addOrder(db, { status: "NEW" });
    const change = (values: Parameters<typeof changeOrder>[1]["change"]) =>
      db.transaction((tx) => changeOrder(tx, { id, change: values }));
    await change({ note: "Later" });
    await change({ status: "NEW" });
    await change({ status: "SHIPPING", note: null });
    expect(await eventsOf(id)).toEqual([
      {
        ...{ type: "order.status_changed", entityType: "order" },
        data: { id, status: "SHIPPING", previous_status: "NEW" },
      },
    ]);
  });

  test("is made once its payments cover it", async () => {
    const offer = await addOffer(db);
    const lines = [{ offerId: offer.id, quantity: 1, priceRub: 1_000 }];
    const { id: orderId } = await addOrder(db, { userId: userIds.user, lines });
    const pay = async (method: "CASH" | "BALANCE", amountRub: number) => {
      const id = randomUUID();
      const payment = { ...{ id, orderId, method, amountRub }, createdBy: userIds.employee, checkout: undefined };
      await db.transaction((tx) => createPayment(tx, payment));
      return id;
    };
    const first = await pay("CASH", 400);
    await pay("BALANCE", 600);
    expect(await eventsOf(orderId)).toEqual([]);
    await db.transaction((tx) => movePayment(tx, { id: first, from: ["pending"], to: "paid" }));
    expect(await eventsOf(orderId)).toEqual([{ type: "order.paid", entityType: "order", data: { id: orderId } }]);
  });

  test("is made when the goods of a waybill have moved, once", async () => {
    const offer = await addOffer(db, { quantity: 5 });
    const { id } = await addWaybill(db, { lines: [{ offerId: offer.id }] });
    const commit = () => db.transaction((tx) => commitWaybill(tx, { waybillId: id, userId: userIds.employee }));
    await commit();
    await commit();
    const data = { id, waybill_type: "WAYBILL_OUT", order_id: null };
    expect(await eventsOf(id)).toEqual([{ type: "waybill.committed", entityType: "waybill", data }]);
  });

  test("is not there when its transaction is rolled back", async () => {
    const id = randomUUID();
    const failing = db.transaction(async (tx) => {
      await recordEvent(tx, "order.created", { id, status: "NEW" });
      throw new Error("no order after all");
    });
    await expect(failing).rejects.toThrow("no order after all");
    expect(await eventsOf(id)).toEqual([]);
  });
});

describe("the end of a job", () => {
  const promise = () => db.transaction((tx) => enqueue(tx, sendMail, { mailId: randomUUID() }));
  const claim = async (id: string) => {
    const [result] = await claimJobs(db, pool(), [id], "test", 10_000);
    if (result?.outcome !== "claimed") throw new Error("not claimed");
    return result.claim;
  };
  const succeed = async (id: string) => finishJobs(pool(), [await claim(id)]);
  const endAs = async (id: string, outcome: "failed" | "unknown") =>
    releaseJob(db, await claim(id), { outcome, cost: "all", error: null, errorKey: null });
  const cancel = (id: string) => db.transaction((tx) => cancelJob(tx, id, { ...anAdmin, reason: "test" }));

  test.each([
    ["succeeded", succeed],
    ["failed", (id: string) => endAs(id, "failed")],
    ["unknown", (id: string) => endAs(id, "unknown")],
    ["cancelled", cancel],
  ] as const)("as %s is an event while an endpoint wants it", async (state, end) => {
    const type = `job.${state}` as const;
    const { id: endpoint } = await addEndpoint(db, { eventTypes: ["order.created", type] });
    const id = await promise();
    await end(id);
    const job = await db.manager.findOneByOrFail(Job, { id });
    expect(await eventsOf(id)).toEqual([
      {
        ...{ type, entityType: "job" },
        data: {
          ...{ id, kind: "send-mail", queue: "mail", status: state, failures: job.failures },
          entity: { type: "mail", id: job.entityId },
          created_at: job.createdAt.toISOString(),
          finished_at: job.finishedAt?.toISOString(),
        },
      },
    ]);

    await db.query("UPDATE webhook_endpoints SET is_active = false WHERE id = $1", [endpoint]);
    const unheard = await promise();
    await end(unheard);
    expect(await eventsOf(unheard)).toEqual([]);
  });

  test("is none while no endpoint wants it", async () => {
    await addEndpoint(db, { eventTypes: ["order.created", "job.failed"] });
    const id = await promise();
    await succeed(id);
    expect(await eventsOf(id)).toEqual([]);
  });

  test("is told again when it was opened again", async () => {
    await addEndpoint(db, { eventTypes: ["job.failed", "job.succeeded"] });
    const id = await promise();
    await endAs(id, "failed");
    await db.transaction((tx) => reopenJob(tx, id));
    await succeed(id);
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(["job.failed", "job.succeeded"]);
  });

  test("that delivered a webhook is none, or each would make the next", async () => {
    const { id: endpointId } = await addEndpoint(db, { eventTypes: ["job.succeeded", "job.failed"] });
    const id = await db.transaction((tx) => enqueue(tx, deliverWebhook, { eventId: randomUUID(), endpointId }));
    await succeed(id);
    expect(await eventsOf(id)).toEqual([]);
  });
});

describe("the fan-out of events", () => {
  beforeEach(async () => {
    await db.query("DELETE FROM job WHERE kind = $1", [deliverWebhook.name]);
  });
  const record = (count: number) =>
    db.transaction(async (tx) => {
      for (let n = 0; n < count; n++) await recordEvent(tx, "order.created", { id: randomUUID(), status: "NEW" });
    });
  const fanOut = () => db.transaction((tx) => fanOutEvents(tx, noMailRules));

  test("promises one delivery for each active endpoint that subscribes", async () => {
    const wants = await addEndpoint(db);
    const both = await addEndpoint(db, { eventTypes: ["order.paid", "order.created"] });
    await addEndpoint(db, { eventTypes: ["order.paid"] });
    await addEndpoint(db, { isActive: false });
    await record(1);
    const { id: eventId } = await db.manager.findOneByOrFail(Event, {});
    expect(await fanOut()).toBe(1);
    const jobs = await deliveries();
    expect(new Set(jobs.map(({ payload }) => payload))).toEqual(
      new Set([wants, both].map(({ id: endpointId }) => ({ eventId, endpointId }))),
    );
    expect(jobs.map(({ groupKey, entityId }) => groupKey === entityId)).toEqual([true, true]);
    expect(await fanOut()).toBe(0);
  });

  test("promises each delivery once, however many do it at once", async () => {
    for (let n = 0; n < 3; n++) await addEndpoint(db);
    await record(450);
    const untilEmpty = async () => {
      let count = 0;
      for (let some = await fanOut(); some > 0; some = await fanOut()) count += some;
      return count;
    };
    const counts = await Promise.all([untilEmpty(), untilEmpty(), untilEmpty()]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(450);
    const keys = (await deliveries()).map(({ dedupeKey }) => dedupeKey);
    expect([keys.length, new Set(keys).size]).toEqual([1_350, 1_350]);
  });

  test("promises nothing when its transaction is rolled back, and everything the next time", async () => {
    await addEndpoint(db);
    await record(1);
    const failing = db.transaction(async (tx) => {
      await fanOutEvents(tx, noMailRules);
      throw new Error("the process dies");
    });
    await expect(failing).rejects.toThrow("the process dies");
    expect(await deliveries()).toEqual([]);
    expect(await fanOut()).toBe(1);
    expect(await deliveries()).toHaveLength(1);
  });
});
