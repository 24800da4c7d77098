import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "../../src/platform/listen.ts";
import { portAdvice } from "../services/service.ts";
import { readJson, writeJson } from "../stack/json-file.ts";
import { type Act, createFaultPlan, type FaultPlan, type RequestFault } from "./faults.ts";
import { createNotifier, type Notifier } from "./notifier.ts";
import { checkoutPage, listPage } from "./page.ts";
import { createShop, type Decision, ProtocolError, type Shop } from "./shop.ts";
import type { ShopData } from "./shop-data.ts";

export interface YooKassaEmulatorOptions {
  /** 0: a free one. */
  port: number;
  /** Secret keys by the number of their shop. */
  shops: Readonly<Record<string, string>>;
  /** Where notifications go; may be set later. */
  notificationUrl?: string;
  /** File in which payments outlive a restart; absent: they do not. */
  file?: string;
  /** Wait before a notification is repeated for the first time, and how long `slow` takes, ms. */
  retryMs?: number;
  slowMs?: number;
}

/** A running emulator. */
export interface YooKassaEmulator {
  /** For `YOOKASSA_API_URL`. */
  apiUrl: string;
  /** Shows all payments. */
  pageUrl: string;
  shop: Shop;
  data: ShopData;
  faults: FaultPlan;
  notifier: Notifier;
  /** Forgets idempotence keys, as the real service does after a day. */
  forgetKeys(): void;
  stop(): Promise<void>;
}

interface Call {
  shopId: string;
  method: string;
  path: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
}

type Work = (fault: RequestFault | undefined) => unknown;
const maxBody = 1_000_000;

/** Starts an emulator of YooKassa's API v3 on 127.0.0.1; throws when the port is taken. */
export async function startYooKassa(options: YooKassaEmulatorOptions): Promise<YooKassaEmulator> {
  const { shops, file, retryMs = 1_000, slowMs = 30_000 } = options;
  const stopping = new AbortController();
  const faults = createFaultPlan();
  const notifier = createNotifier({ faults, retryMs });
  notifier.url = options.notificationUrl;
  const data = { payments: [], refunds: [], answers: {}, ...(file ? (readJson(file) as object) : {}) } as ShopData;
  const save = () => file && writeJson(file, data);
  let url = "";
  const shop = createShop({ data, notifier, pageOf: (id) => `${url}/checkout/${id}` });

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://emulator");
    const handle = pathname === "/" ? list : pathname.startsWith("/checkout/") ? page : api;
    handle(request, response).catch((error: unknown) => sendError(response, error));
  });

  async function api(request: IncomingMessage, response: ServerResponse) {
    const call = await readCall(request, shops);
    const [act, work] = workOf(call, shop);
    const fault = faults.takeRequest(act);
    if (fault === "slow") await sleep(slowMs, undefined, { signal: stopping.signal }).catch(() => {});
    if (before(fault, response)) return;
    const answer = call.method === "POST" ? withKey(call, request, () => work(fault)) : work(fault);
    save();
    if (!after(fault, response)) sendJson(response, 200, answer);
  }

  /** The same key and the same request have the same answer; another request with this key is refused. */
  function withKey({ shopId, path, body }: Call, request: IncomingMessage, work: () => unknown) {
    const key = request.headers["idempotence-key"];
    if (typeof key !== "string" || key.length > 64)
      throw new ProtocolError(400, "invalid_request", "A key of at most 64 characters", "Idempotence-Key");
    const [name, text] = [`${shopId} ${key}`, JSON.stringify([path, body])];
    const kept = data.answers[name];
    if (kept && kept.request !== text)
      throw new ProtocolError(400, "invalid_request", "The key belongs to another request", "Idempotence-Key");
    if (kept) return kept.answer;
    const answer = structuredClone(work());
    data.answers[name] = { request: text, answer };
    return answer;
  }

  async function list(_request: IncomingMessage, response: ServerResponse) {
    sendHtml(response, listPage(data.payments.map(({ payment }) => payment).toReversed()));
  }

  async function page(request: IncomingMessage, response: ServerResponse) {
    const id = request.url?.split("/")[2]?.split("?")[0] ?? "";
    const { payment, capture } = shop.find(id);
    if (request.method !== "POST") return sendHtml(response, checkoutPage(payment, !capture));
    const returnUrl = payment.confirmation?.return_url;
    const decision = new URLSearchParams((await readBody(request)).toString()).get("decision");
    shop.decide(id, decision === "pay" ? "pay" : ("decline" satisfies Decision));
    save();
    response.writeHead(303, { location: returnUrl ?? request.url ?? "/" }).end();
  }

  const port = await listen(server, { port: options.port, host: "127.0.0.1", advice: portAdvice });
  url = `http://127.0.0.1:${port}`;
  return {
    ...{ apiUrl: `${url}/v3`, pageUrl: `${url}/` },
    ...{ shop, data, faults, notifier },
    forgetKeys() {
      data.answers = {};
    },
    async stop() {
      stopping.abort();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, notifier.stop()]);
    },
  };
}

function workOf({ shopId, method, path, query, body }: Call, shop: Shop): [Exclude<Act, "notification">, Work] {
  const [, kind = "", id = "", act] = path;
  const route = [method, kind, id && "id", act].filter(Boolean).join(" ");
  const routes: Record<string, [Exclude<Act, "notification">, Work]> = {
    "GET me": ["read", () => ({ account_id: shopId, status: "enabled", test: true })],
    "POST payments": ["start", () => shop.create(shopId, body)],
    "GET payments id": ["read", () => shop.find(id, shopId).payment],
    "POST payments id capture": ["capture", () => shop.capture(shopId, id, body)],
    "POST payments id cancel": ["cancel", () => shop.cancel(shopId, id)],
    "POST refunds": ["refund", (fault) => shop.refund(shopId, body, { isPending: fault === "pending" })],
    "GET refunds id": ["read", () => shop.findRefund(shopId, id)],
    "GET refunds": ["read", () => ({ type: "list", items: shop.refundsOf(shopId, query) })],
  };
  const found = routes[route];
  if (found) return found;
  throw new ProtocolError(404, "not_found", `There is no ${method} /${path.join("/")}`);
}

async function readCall(request: IncomingMessage, shops: Readonly<Record<string, string>>): Promise<Call> {
  const [shopId = "", secret] = loginOf(request);
  if (shops[shopId] === undefined || shops[shopId] !== secret)
    throw new ProtocolError(401, "invalid_credentials", "No shop has this key", "Authorization");
  const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://emulator");
  const [version, ...path] = pathname.split("/").filter(Boolean);
  if (version !== "v3") throw new ProtocolError(404, "not_found", "There is only v3");
  const text = (await readBody(request)).toString();
  try {
    return { shopId, method: request.method ?? "GET", path: ["v3", ...path], query, body: JSON.parse(text || "{}") };
  } catch {
    throw new ProtocolError(400, "invalid_request", "The body is not JSON");
  }
}

function loginOf({ headers }: IncomingMessage) {
  const [, encoded = ""] = /^Basic (.+)$/.exec(headers.authorization ?? "") ?? [];
  return Buffer.from(encoded, "base64").toString().split(":");
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBody) throw new ProtocolError(400, "invalid_request", "The body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Answers in place of the act; true when it did. */
function before(fault: RequestFault | undefined, response: ServerResponse): boolean {
  if (fault === "cut-before") response.destroy();
  else if (fault === "error-before") sendError(response, broken());
  else if (fault === "busy") {
    response.setHeader("retry-after", "1");
    sendError(response, new ProtocolError(429, "too_many_requests", "Slower"));
  } else return false;
  return true;
}

/** Answers in place of the result; true when it did. */
function after(fault: RequestFault | undefined, response: ServerResponse): boolean {
  if (fault === "cut-after") response.destroy();
  else if (fault === "error-after") sendError(response, broken());
  else if (fault === "processing") sendJson(response, 202, { type: "processing", retry_after: 200 });
  else if (fault === "garbage") response.writeHead(200, { "content-type": "application/json" }).end('{"id": "');
  else return false;
  return true;
}

const broken = () => new ProtocolError(500, "internal_server_error", "Planned");

function sendError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof ProtocolError)) {
    console.error(error);
    response.destroy();
    return;
  }
  const { status, code, message: description, parameter } = error;
  sendJson(response, status, { type: "error", code, description, ...(parameter && { parameter }) });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function sendHtml(response: ServerResponse, html: string): void {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy }).end(html);
}
