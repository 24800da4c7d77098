import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { paymentSecret, type TestApi, useApi } from "../../support/api.ts";
import { sendHead } from "../../support/http.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";
import { samplePath } from "../../support/sample-request.ts";

const { operations, follow } = readDocument(routes);
const withBody = operations.filter(({ requestBody }) => requestBody);
const roles = ["USER", "EMPLOYEE", "ADMIN"];

/** The status of the answer to a request whose body never comes. */
async function statusOfHead(api: TestApi, operation: Described, profile: string, headers: string[] = []) {
  const lines = [`${operation.method} ${profile}${samplePath(operation, follow)} HTTP/1.1`, "host: a", ...headers];
  return (await sendHead(api.url, `${lines.join("\r\n")}\r\n`)).status;
}

const lengths: string[][] = ["content-type: application/json", "content-type: multipart/form-data; boundary=b"].map(
  (type) => [type, "content-length: 1000000", ""],
);

describe.each(["", "/warehouse"])("a request under '%s/' that is refused whatever its body says", (profile) => {
  const api = useApi({ relay: false });
  beforeAll(() => {
    Object.assign(api.context, { cards: undefined, mailLinks: undefined, mailWebhook: undefined });
  });
  const signed = useApi({ relay: false });
  beforeAll(() => {
    signed.context.mailWebhook = new Webhook(paymentSecret);
  });
  const needing = withBody.filter((one) => !["public", "optional"].includes(one["x-access"]));
  const open = withBody.filter((one) => !needing.includes(one));

  test.each(needing.map((one) => [one.name, one] as const))(
    "for want of a credential: %s",
    async (_name, operation) => {
      for (const headers of lengths) expect(await statusOfHead(api, operation, profile, headers)).toBe(401);
    },
  );

  const staff = withBody.filter((one) => roles.indexOf(one["x-access"]) > 0);
  test.each(staff.map((one) => [one.name, one] as const))("for want of a role: %s", async (_name, operation) => {
    const authorization = `authorization: Bearer ${api.tokens.user}`;
    for (const headers of lengths)
      expect(await statusOfHead(api, operation, profile, [authorization, ...headers])).toBe(403);
  });

  const switchedOff = open.filter(({ path }) => /^\/(webhooks\/|payments\/test-provider|mail\/unsubscribe)/.test(path));
  test.each(switchedOff.map((one) => [one.name, one] as const))(
    "as it is switched off: %s",
    async (_name, operation) => {
      for (const headers of lengths) expect(await statusOfHead(api, operation, profile, headers)).toBe(404);
    },
  );

  test.each(["payments/test", "mail"])("for want of a signature that may be good: /webhooks/%s", async (name) => {
    const { cards, mailWebhook } = signed.context;
    expect([cards?.name, mailWebhook]).toEqual(["test", expect.anything()]);
    const named = (at: number) => ["webhook-id: 1", `webhook-timestamp: ${at}`, "webhook-signature: v1,AAAA"];
    const now = Math.floor(Date.now() / 1_000);
    for (const headers of [[], named(now - 400), named(Number.NaN), named(now).slice(0, 2)]) {
      const lines = [`POST ${profile}/webhooks/${name} HTTP/1.1`, "host: a", ...headers, ...(lengths[0] ?? [])];
      expect((await sendHead(signed.url, `${lines.join("\r\n")}\r\n`)).status).toBe(401);
    }
  });
});
