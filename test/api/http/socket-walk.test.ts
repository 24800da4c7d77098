import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { apiKey, mailLinkSecret, paymentSecret, useApi, webhookSecret } from "../../support/api.ts";
import { inside, useApiProcesses } from "../../support/api-process.ts";
import { addBusiness } from "../../support/business.ts";
import {
  type Ending,
  endings,
  type RawRequest,
  requestsOf,
  seeded,
  sendCut,
  stalledConnections,
} from "../../support/cut-request.ts";
import type { Inside } from "../../support/inside.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";

/** `TEST_WALK=whole` tries each cut in each way, which takes minutes; otherwise each cut is tried in one way. */
const isWhole = process.env.TEST_WALK === "whole";
/** `TEST_WALK_SEED=7` cuts at other bytes. */
const random = seeded(Number(process.env.TEST_WALK_SEED ?? 1));
/** Cuts at random bytes, of each request. */
const randomCuts = isWhole ? 8 : 1;

const { operations, follow } = readDocument(routes);
const profiles = ["", "/warehouse"];
const callers = ["anonymous", "user", "employee", "admin"] as const;
const programs = [`api-key: ${apiKey}`, `x-better-auth-secret: ${webhookSecret}`];

const api = useApi({ relay: false });
const processes = useApiProcesses(api);
let running: Awaited<ReturnType<typeof processes.start>>;
let port = 0;
let first: Inside;
const tried = { requests: 0, cuts: 0, whole: 0, readable: 0 };

beforeAll(async () => {
  await addBusiness(api.db);
  const unlimited = ["ANONYMOUS", "USER", "API_KEY", "ORDERS"].map((name) => [`RATE_LIMIT_${name}`, "0"]);
  const env = {
    ...Object.fromEntries(unlimited),
    UPLOADS_PER_DAY: "0",
    LOG_LEVEL: "error",
    API_KEY: apiKey,
    BETTER_AUTH_WEBHOOK_SECRET: webhookSecret,
    PAYMENT_PROVIDER: "test",
    PAYMENT_WEBHOOK_SECRET: paymentSecret,
    MAIL_WEBHOOK_SECRET: paymentSecret,
    MAIL_LINK_SECRET: mailLinkSecret,
  };
  running = await processes.start(env, inside);
  port = Number(new URL(running.url).port);
  first = await tell();
}, 120_000);

async function tell() {
  const told = once(running.child, "message");
  running.child.send("tell");
  return (await told)[0] as Inside;
}

/** The same process answers, and nothing in it was unexpected. */
async function answers(after: string) {
  const answer = await fetch(`${running.url}/-/health-checks/liveness`, { headers: { connection: "close" } }).catch(
    (error: Error) => error,
  );
  const said = running.output.slice(-3_000);
  expect([after, answer instanceof Error ? `${answer}\n${said}` : answer.status]).toEqual([after, 204]);
  expect([after, running.child.exitCode, running.child.pid]).toEqual([after, null, first.pid]);
}

/** Heads are cut in the first request of a caller alone, unless the walk is a whole one: they differ by two lines. */
function cutsOf(request: RawRequest, isFirst: boolean) {
  const some = Array.from({ length: randomCuts }, () => 1 + Math.floor(random() * (request.bytes.length - 1)));
  const wanted = request.boundaries.filter((at) => isWhole || isFirst || at >= request.head);
  return [...new Set([...wanted, ...some])];
}

let turn = 0;
const waysOf = (): readonly Ending[] => (isWhole ? endings : [endings[turn++ % endings.length] ?? "reset"]);

/** Sends the request whole, and then cut everywhere, many at once. */
async function tryAll(request: RawRequest, isFirst: boolean, stalled: ReturnType<typeof stalledConnections>) {
  const status = await sendCut(port, request, { length: request.bytes.length, ending: "open", pauseMs: 0 }, stalled);
  tried.whole++;
  if (request.head < request.bytes.length && ![401, 403, 404, 0].includes(status)) tried.readable++;
  const cuts = cutsOf(request, isFirst).flatMap((length) =>
    waysOf().map((ending) => ({ length, ending, pauseMs: random() * 10 })),
  );
  await Promise.all(cuts.map((cut) => sendCut(port, request, cut, stalled)));
  tried.cuts += cuts.length;
  tried.requests += cuts.length + 1;
}

const headersOf = (caller: (typeof callers)[number]) => [
  ...(caller === "anonymous" ? [] : [`authorization: Bearer ${api.tokens[caller]}`]),
  ...(caller === "admin" ? programs : []),
];

async function walk(operation: Described, profile: string, stalled: ReturnType<typeof stalledConnections>) {
  for (const caller of callers) {
    const requests = await requestsOf(operation, follow, profile, headersOf(caller));
    for (const [at, request] of requests.entries()) await tryAll(request, at === 0, stalled);
    await answers(`${operation.method} ${profile}${operation.path} as ${caller}`);
  }
}

describe("each route, cut at each header, part and at random bytes, and then reset, half-closed or left alone", () => {
  test("leaves one process that answers, with its memory and its connections as they were", async () => {
    const stalled = stalledConnections();
    // What is loaded and compiled at the first use is no leak.
    for (const operation of operations.slice(0, 20)) await walk(operation, "", stalled);
    const before = await tell();
    for (const operation of operations) await Promise.all(profiles.map((profile) => walk(operation, profile, stalled)));
    stalled.giveUp();
    await vi.waitFor(async () => expect((await tell()).sockets).toBeLessThanOrEqual(first.sockets), {
      timeout: 20_000,
      interval: 200,
    });
    const after = await tell();
    process.stdout.write(
      `socket walk ${JSON.stringify({ routes: operations.length * profiles.length, ...tried, before, after })}\n`,
    );
    expect(after.pid).toBe(first.pid);
    expect(after.bodies).toBeGreaterThanOrEqual(tried.readable);
    expect(tried.readable).toBeGreaterThan(operations.length);
    expect((after.heap + after.buffers - before.heap - before.buffers) / 2 ** 20).toBeLessThan(40);
    expect(running.output).toBe("");
  }, 600_000);
});

describe("a connection that is misused, or uses what is not offered", () => {
  const json = "content-type: application/json";
  const chunked = ["POST /offers/by-ids HTTP/1.1", "host: a", json, "transfer-encoding: chunked", "", ""].join("\r\n");
  const get = "GET /categories HTTP/1.1\r\nhost: a\r\n\r\n";
  const head = (line: string, ...headers: string[]) => [line, "host: a", ...headers, "", ""].join("\r\n");

  test.each<[string, string]>([
    ["a chunk whose length is no number", `${chunked}xyz\r\n[]\r\n`],
    ["a chunk longer than it says", `${chunked}1\r\n[[[[]\r\n0\r\n\r\n`],
    ["a chunk of a length beyond all numbers", `${chunked}ffffffffffffffffff\r\n[]`],
    ["chunks that end without the last one", `${chunked}2\r\n[]\r\n`],
    ["a trailer that is no header", `${chunked}2\r\n[]\r\n0\r\nbad trailer\r\n\r\n`],
    [
      "an expectation and no body",
      head("POST /offers/by-ids HTTP/1.1", json, "content-length: 9", "expect: 100-continue"),
    ],
    [
      "an expectation that none can meet",
      head("POST /offers/by-ids HTTP/1.1", json, "content-length: 2", "expect: tea"),
    ],
    ["two hundred requests at once, whose answers are not read", get.repeat(200)],
    ["a request and half of another", `${get}${get.slice(0, 20)}`],
    [
      "an upgrade to WebSocket",
      head("GET /jobs HTTP/1.1", "connection: upgrade", "upgrade: websocket", "sec-websocket-key: a"),
    ],
    [
      "an upgrade with a body",
      `${head("POST /orders HTTP/1.1", json, "connection: upgrade", "upgrade: h2c", "content-length: 2")}{}`,
    ],
    ["CONNECT", head("CONNECT example.com:443 HTTP/1.1")],
    ["CONNECT, and bytes of another protocol", `${head("CONNECT a:1 HTTP/1.1")}\x16\x03\x01\x02`],
    ["the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["the beginning of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["OPTIONS of everything", head("OPTIONS * HTTP/1.1")],
    ["TRACE with a body", `${head("TRACE / HTTP/1.1", "content-length: 2")}ab`],
    ["an address that is none", head("GET //[::1:/%zz HTTP/1.1")],
    [
      "a login of the board that breaks off",
      `${head("POST /admin/queues/login HTTP/1.1", "content-type: application/x-www-form-urlencoded", "content-length: 900")}token=a`,
    ],
    ["a file of the reference page that is not read", head("GET /docs/swagger-ui-bundle.js HTTP/1.1")],
    ["a description of the API that is not read", head("GET /openapi.json HTTP/1.1")],
  ])("by %s costs the others nothing", async (what, bytes) => {
    for (const ending of ["reset", "half-closed"] as const) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      await new Promise<void>((resolve) => socket.write(Buffer.from(bytes, "latin1"), () => resolve()));
      // Before it is reset, another caller is answered, so what was sent has been looked at.
      await answers(what);
      if (ending === "reset") socket.resetAndDestroy();
      else socket.resume().end();
      await answers(what);
      socket.destroy();
    }
  });
});
