import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startYooKassa, type YooKassaEmulator, type YooKassaEmulatorOptions } from "../../dev/yookassa/server.ts";

// What the tests of the card provider do not ask of the emulator.

const running: YooKassaEmulator[] = [];
afterEach(() => Promise.all(running.splice(0).map((one) => one.stop())));

async function start(more: Partial<YooKassaEmulatorOptions> = {}) {
  const emulator = await startYooKassa({ port: 0, shops: { 1: "key-of-1" }, retryMs: 10, ...more });
  running.push(emulator);
  return emulator;
}

const body = (more: object = {}) => ({
  amount: { value: "10.00", currency: "RUB" },
  confirmation: { type: "redirect", return_url: "https://shop.test/" },
  ...more,
});

async function post({ apiUrl }: YooKassaEmulator, path: string, sent: object, key: string | null = "key") {
  const headers = {
    authorization: `Basic ${Buffer.from("1:key-of-1").toString("base64")}`,
    "content-type": "application/json",
    ...(key !== null && { "idempotence-key": key }),
  };
  const response = await fetch(apiUrl + path, { method: "POST", headers, body: JSON.stringify(sent) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("the emulator of YooKassa", () => {
  test("answers the same request with the same key once, and refuses another one", async () => {
    const emulator = await start();
    const first = await post(emulator, "/payments", body());
    expect(first).toMatchObject({ status: 200, body: { status: "pending", amount: { value: "10.00" } } });
    expect(await post(emulator, "/payments", body())).toEqual(first);
    const refused = await post(emulator, "/payments", body({ description: "another" }));
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request", parameter: "Idempotence-Key" } });
    expect(emulator.data.payments).toHaveLength(1);
  });

  test.each([
    [body({ amount: { value: 10, currency: "RUB" } }), "amount.value"],
    [body({ amount: { value: "10", currency: "RUB" } }), "amount.value"],
    [body({ amount: { value: "10.00", currency: "USD" } }), "amount.value"],
    [body({ amount: { value: "0.00", currency: "RUB" } }), "amount.value"],
    [body({ confirmation: { type: "redirect" } }), "confirmation.return_url"],
    [body({ confirmation: undefined }), "confirmation.type"],
    [body({ receipt: { customer: { email: "a@mail.test" }, items: [] } }), "receipt.items"],
    [body({ receipt: { customer: {}, items: [] } }), "receipt.customer"],
  ])("refuses what the protocol does not allow: %j", async (sent, parameter) => {
    expect(await post(await start(), "/payments", sent)).toMatchObject({ status: 400, body: { parameter } });
  });

  test("asks for a key, and for the key of a shop", async () => {
    const emulator = await start();
    expect(await post(emulator, "/payments", body(), null)).toMatchObject({
      ...{ status: 400, body: { parameter: "Idempotence-Key" } },
    });
    const stranger = await fetch(`${emulator.apiUrl}/me`);
    expect([stranger.status, await stranger.json()]).toEqual([
      401,
      expect.objectContaining({ code: "invalid_credentials" }),
    ]);
  });

  test("keeps its payments in a file, over a restart", async () => {
    const directory = await mkdtemp(join(tmpdir(), "yookassa-"));
    try {
      const file = join(directory, "payments.json");
      const first = await start({ file });
      const { body: made } = await post(first, "/payments", body());
      await first.stop();
      running.splice(0);
      const second = await start({ file });
      expect(second.shop.find(String(made.id)).payment.status).toBe("pending");
      expect((await post(second, "/payments", body())).body.id).toBe(made.id);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("shows its payments, and lets each be decided once, without what was sent as HTML", async () => {
    const emulator = await start();
    const { body: made } = await post(emulator, "/payments", body({ capture: true, description: "<script>" }));
    const listed = await (await fetch(emulator.pageUrl)).text();
    expect(listed).toContain(`/checkout/${made.id}`);
    expect(listed).not.toContain("<script>");
    const page = `${emulator.pageUrl}checkout/${made.id}`;
    const decide = () =>
      fetch(page, { method: "POST", body: new URLSearchParams({ decision: "pay" }), redirect: "manual" });
    expect((await decide()).headers.get("location")).toBe("https://shop.test/");
    expect((await decide()).status).toBe(400);
    expect(await (await fetch(page)).text()).toContain("<strong>succeeded</strong>");
    expect(emulator.shop.find(String(made.id)).chargedKopecks).toBe(1_000);
  });

  test("knows no other address", async () => {
    expect((await post(await start(), "/deals", {})).status).toBe(404);
    expect((await fetch((await start()).apiUrl.replace("/v3", "/v2/me"))).status).toBe(401);
  });
});
