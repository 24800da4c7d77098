import { Webhook } from "standardwebhooks";
import { beforeAll, expect, test, vi } from "vitest";
import { useApi } from "../support/api.ts";
import { addOffer } from "../support/catalogue.ts";
import { useReceiver } from "../support/receiver.ts";
import { guest, lineOf, send } from "../support/shop.ts";
import { addEndpoint } from "../support/webhook-endpoints.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi({ relay: false });
const workers = useWorkerProcesses(api);
const receiver = useReceiver();
const env = { WORKER_QUEUES: "webhooks", WEBHOOK_ALLOW_PRIVATE: "true" };
beforeAll(async () => {
  await Promise.all([workers.start(env), workers.start(env)]);
}, 30_000);

test("two worker processes tell of an order once, and not of one that was refused", async () => {
  const { secret } = await addEndpoint(api.db, {
    url: receiver.url,
    eventTypes: ["order.created", "order.status_changed"],
  });
  const offer = await addOffer(api.db, { quantity: 3 });
  const refused = await send(api, "POST", "/orders", {
    ...guest,
    order_offers: [{ ...lineOf(offer.id), quantity: 4 }],
  });
  expect(refused.status).toBe(409);
  const { body } = await send(api, "POST", "/orders", { ...guest, order_offers: [lineOf(offer.id)] });
  const token = api.tokens.employee;
  await send(api, "PATCH", `/orders/${body.id}`, { status: "SHIPPING" }, { token });

  await vi.waitFor(() => expect(receiver.received).toHaveLength(2), 20_000);
  const told = receiver.received.map((one) => new Webhook(secret).verify(one.body, one.headers));
  expect(told).toHaveLength(2);
  expect(told).toEqual(
    expect.arrayContaining([
      { type: "order.created", timestamp: expect.any(String), data: { id: body.id, status: "NEW" } },
      {
        ...{ type: "order.status_changed", timestamp: expect.any(String) },
        data: { id: body.id, status: "SHIPPING", previous_status: "NEW" },
      },
    ]),
  );
}, 30_000);
