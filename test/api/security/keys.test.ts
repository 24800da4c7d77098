import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineRoute } from "../../../src/api/http/define-route.ts";
import { createSecrets } from "../../../src/api/http/secrets.ts";
import { apiKey, call, useApi, userIds, webhookSecret } from "../../support/api.ts";
import { useRoutes } from "../../support/routes.ts";
import { unknownId } from "../../support/sample-request.ts";

const key = "0123456789abcdef";
const wrongKeys = [
  ["nothing", ""],
  ["one letter off", "0123456789abcdeg"],
  ["one letter short", key.slice(1)],
  ["one letter more", `${key}0`],
  ["another case", key.toUpperCase()],
  ["a blank behind it", `${key} `],
  ["both keys in one", `${key},fedcba9876543210`],
  ["a megabyte", "k".repeat(1_000_000)],
] as const;

describe("API keys and the webhook's secret", () => {
  const secrets = createSecrets([key, "fedcba9876543210"], webhookSecret);

  test("of which several may be good at once", () => {
    expect([secrets.isApiKey(key), secrets.isApiKey("fedcba9876543210")]).toEqual([true, true]);
    expect(secrets.isWebhookSecret(webhookSecret)).toBe(true);
  });

  test.each(wrongKeys)("are refused: %s", (_what, given) => {
    expect(secrets.isApiKey(given)).toBe(false);
    expect(secrets.isWebhookSecret(given)).toBe(false);
  });

  test("do not stand for each other, and without any nothing is good", () => {
    expect(secrets.isApiKey(webhookSecret)).toBe(false);
    expect(secrets.isWebhookSecret(key)).toBe(false);
    const none = createSecrets([], undefined);
    expect([none.isApiKey(""), none.isWebhookSecret(""), none.isWebhookSecret("undefined")]).toEqual(
      Array(3).fill(false),
    );
  });
});

describe("a route for programs", () => {
  const api = useApi({ relay: false });
  let runs = 0;
  const route = (access: "api-key" | "webhook") =>
    defineRoute({
      method: "post",
      path: `/${access}`,
      summary: "Counts its calls",
      tag: "Test",
      access,
      responses: { 200: z.unknown() },
      handle: async () => ({ status: 200, body: { runs: ++runs } }),
    });
  const served = useRoutes(api, [route("api-key"), route("webhook")]);
  const post = (path: string, headers: Record<string, string>) => call(served.url + path, { method: "POST", headers });

  test("runs for the right key only", async () => {
    expect((await post("/api-key", { "api-key": apiKey })).body).toEqual({ runs: 1 });
    for (const [what, wrong] of wrongKeys.slice(0, -1)) {
      const { status } = await post("/api-key", { "api-key": wrong });
      expect([what, status]).toEqual([what, 401]);
    }
    expect((await post("/api-key", { authorization: `Bearer ${api.tokens.admin}` })).status).toBe(401);
    expect((await post("/api-key", { authorization: `Bearer ${apiKey}` })).status).toBe(401);
    expect((await post(`/api-key?api-key=${apiKey}`, {})).status).toBe(401);
    expect(runs).toBe(1);
  });

  test("says what it wants", async () => {
    const missing = await post("/api-key", {});
    expect([missing.body.detail, missing.headers.get("www-authenticate")]).toEqual(["Not authenticated", "APIKey"]);
    const wrong = await post("/api-key", { "api-key": `${apiKey}!` });
    expect([wrong.body.detail, wrong.headers.get("www-authenticate")]).toEqual(["Invalid credentials", "Bearer"]);
  });

  test("runs for the right webhook secret only", async () => {
    const before = runs;
    expect((await post("/webhook", { "x-better-auth-secret": webhookSecret })).status).toBe(200);
    for (const given of ["", "wrong", `${webhookSecret}x`, apiKey]) {
      const { status, body } = await post("/webhook", { "x-better-auth-secret": given });
      expect([status, body.detail]).toEqual([401, "Invalid webhook secret"]);
    }
    expect(runs).toBe(before + 1);
  });
});

describe("twenty wrong credentials from one address", () => {
  const twenty = { points: 20, seconds: 60 };
  const api = useApi({ relay: false, trustProxy: 1, limits: { credentials: twenty, expired: twenty } });
  const url = () => `${api.url}/jobs/${unknownId}`;

  test.each([
    ["tokens", "192.0.2.1", () => ({ authorization: "Bearer a.b.c" })],
    ["schemes", "192.0.2.2", () => ({ authorization: "Basic YTpi" })],
    ["expired tokens", "192.0.2.3", async () => ({ authorization: `Bearer ${await expired()}` })],
  ])("are answered with 429 from then on: %s", async (_what, address, credentials) => {
    const send = async (from = address) =>
      call(url(), { headers: { ...(await credentials()), "x-forwarded-for": from } });
    for (let turn = 0; turn < 20; turn++) expect((await send()).status).toBe(401);
    // On a busy machine Redis may be too late for one of them, which then counts in this process alone.
    const refused = async (from?: string) => {
      const answer = await send(from);
      expect(answer.status).toBe(429);
      return answer;
    };
    const { headers, body } = await vi.waitFor(() => refused(), 5_000);
    expect(body.code).toBe("too_many_requests");
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await send("192.0.2.99")).status).toBe(401);
    // Writing another address in front of its own does not help.
    await vi.waitFor(() => refused(`198.51.100.1, ${address}`), 5_000);
  });

  const expired = () => api.identity.token(userIds.admin, { expires: "-10m" });
});
