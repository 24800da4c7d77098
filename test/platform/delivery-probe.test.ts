import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { UnavailableError } from "../../src/errors.ts";
import { createHttpProbe } from "../../src/platform/delivery-probe.ts";
import { createMailer } from "../../src/platform/mailer.ts";
import { useMailbox } from "../support/mailbox.ts";

const mailbox = useMailbox();
const signal = AbortSignal.timeout(15_000);
let server: Server | undefined;
afterEach(() => server?.close());

test("the local mailbox says what has arrived and what has not", async () => {
  const mailer = createMailer(mailbox.mailerOptions());
  const mail = { messageId: "here+1@test.example", to: "a@test.example", subject: "s", text: "t", html: "h" };
  await mailer.send(mail, { signal });
  mailer.close();
  const probe = createHttpProbe(mailbox.pageUrl());
  expect(await probe.has("here+1@test.example", signal)).toBe(true);
  expect(await probe.has("here 1@test.example", signal)).toBe(false);
});

test.each([
  ["an error", 500, '{"has":true}'],
  ["no JSON", 200, "yes"],
  ["something else", 200, '{"has":"yes"}'],
])("a probe that answers with %s says nothing", async (_what, status, body) => {
  server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const probe = createHttpProbe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await expect(probe.has("a@b.example", signal)).rejects.toBeInstanceOf(UnavailableError);
});

test("a probe that is not there says nothing", async () => {
  await expect(createHttpProbe("http://127.0.0.1:1").has("a@b.example", signal)).rejects.toThrow(UnavailableError);
});
