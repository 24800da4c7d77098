import type { LookupAddress } from "node:dns";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { ForbiddenTargetError } from "../../src/platform/outbound-url.ts";
import { createWebhookClient, type PosterOptions, UnreachableError } from "../../src/platform/webhook-client.ts";
import { useReceiver } from "../support/receiver.ts";

const receiver = useReceiver();
const body = '{"a":"ж"}';

/** A name server that says one list after the other. */
function namesOf(...answers: string[][]) {
  const asked: string[] = [];
  const lookup = (name: string, _options: unknown, done: (error: null, found: LookupAddress[]) => void) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(name);
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  return { lookup: lookup as unknown as NonNullable<PosterOptions["lookup"]>, asked };
}

function post(url: string, options: Partial<PosterOptions> = {}, signal = new AbortController().signal) {
  return createWebhookClient({ allowPrivate: true, ...options }).post({ url, headers: { "x-a": "b" }, body, signal });
}

describe("a request to an address of a user", () => {
  test("comes with its headers and body, and the answer is returned whatever its status", async () => {
    receiver.answer = (res) => res.writeHead(418).end("I am a teapot");
    expect(await post(`${receiver.url}/a?b=c`)).toEqual({ status: 418 });
    expect(receiver.received.at(-1)).toMatchObject({ path: "/a?b=c", body, headers: { "x-a": "b" } });
    expect(receiver.received.at(-1)?.headers["content-length"]).toBe("10");
  });

  test("follows no redirect", async () => {
    receiver.answer = (res) => res.writeHead(307, { location: `${receiver.url}/elsewhere` }).end();
    expect((await post(`${receiver.url}/first`)).status).toBe(307);
    expect(receiver.received.filter(({ path }) => path === "/elsewhere")).toEqual([]);
  });

  test("reads no more than 64 KB of an endless answer", async () => {
    let sent = 0;
    receiver.answer = async (res) => {
      res.writeHead(200);
      const closed = once(res, "close").then(() => "closed");
      while (!res.destroyed) {
        sent += 16_384;
        if (!res.write("ж".repeat(8_192))) await Promise.race([once(res, "drain"), closed]);
      }
    };
    expect(await post(receiver.url)).toEqual({ status: 200 });
    // What lies in the buffers of both sockets is sent, too.
    expect(sent).toBeLessThan(32 * 1_024 * 1_024);
    const before = sent;
    await sleep(50);
    expect(sent).toBe(before);
  });

  test("takes the status of an answer whose body does not end", async () => {
    receiver.answer = (res) => res.writeHead(202).write("so far");
    expect(await post(receiver.url, { bodyMs: 50 })).toEqual({ status: 202 });
  });

  test("does not wait for ever for an answer", async () => {
    receiver.answer = () => undefined;
    await expect(post(receiver.url, { answerMs: 50 })).rejects.toThrow(new UnreachableError("No answer within 0.05 s"));
  });

  test("ends with the reason of its signal", async () => {
    const stop = new AbortController();
    receiver.answer = () => stop.abort(new Error("not wanted any more"));
    await expect(post(receiver.url, {}, stop.signal)).rejects.toThrow("not wanted any more");
    const before = receiver.received.length;
    await expect(post(receiver.url, {}, stop.signal)).rejects.toThrow("not wanted any more");
    expect(receiver.received).toHaveLength(before);
  });

  test("says what went wrong and not where, when no server is there", async () => {
    const gone = post("http://127.0.0.1:1999/with-a-secret-in-its-path");
    await expect(gone).rejects.toThrow(new UnreachableError("No answer: ECONNREFUSED"));
    await expect(gone).rejects.not.toHaveProperty("code");
  });
});

describe("the name in an address of a user", () => {
  const port = () => new URL(receiver.url).port;

  test("is looked up once, and the connection goes to what was found", async () => {
    receiver.answer = (res) => res.writeHead(204).end();
    const names = namesOf(["127.0.0.1"], ["169.254.169.254"]);
    expect((await post(`http://receiver.example:${port()}/`, names)).status).toBe(204);
    expect(names.asked).toEqual(["receiver.example"]);
    expect(receiver.received.at(-1)?.headers.host).toBe(`receiver.example:${port()}`);
  });

  test.each([
    ["this machine", ["127.0.0.1"]],
    ["this machine in IPv6", ["::1"]],
    ["a private address in IPv6", ["::ffff:10.0.0.1"]],
    ["the metadata service", ["169.254.169.254"]],
    ["one public address and one that is not", ["93.184.215.14", "10.0.0.1"]],
    ["nothing", []],
  ])("is refused before anything is sent when it resolves to %s", async (_what, addresses) => {
    const before = receiver.received.length;
    const refused = post(`https://receiver.example:${port()}/`, { ...namesOf(addresses), allowPrivate: false });
    await expect(refused).rejects.toThrow(ForbiddenTargetError);
    expect(receiver.received).toHaveLength(before);
  });

  test("is checked again with each request", async () => {
    const names = namesOf(["127.0.0.1"], ["169.254.169.254"]);
    const webhookClient = createWebhookClient({ allowPrivate: true, ...names });
    const send = () =>
      webhookClient.post({ url: `http://receiver.example:${port()}/`, headers: {}, body, signal: stop });
    const stop = new AbortController().signal;
    await send();
    await expect(send()).rejects.toThrow(
      "'receiver.example' resolves to '169.254.169.254', which is not a public address",
    );
    await vi.waitFor(() => expect(names.asked).toHaveLength(2), 10_000);
  });
});
