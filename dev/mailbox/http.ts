import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listen } from "../../src/platform/listen.ts";
import { portAdvice } from "../services/service.ts";
import type { Mail, MailStore } from "./mail-store.ts";
import { listPage, mailPage, missingPage } from "./pages.ts";

/** What a handler of the page server gets. */
interface Call {
  readonly store: MailStore;
  readonly smtpUrl: string;
  readonly query: URLSearchParams;
  /** What the groups of the path pattern matched. */
  readonly path: readonly string[];
  readonly response: ServerResponse;
}

type Handler = (call: Call) => void | Promise<void>;

const pagePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

// A mail may show its own pictures and those of the local store; nothing it says leaves this machine.
const mailPolicy = [
  "sandbox allow-popups allow-popups-to-escape-sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data: http://127.0.0.1:* http://localhost:*",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

const routes: readonly [method: string, path: RegExp, handler: Handler][] = [
  ["GET", /^\/$/, showList],
  ["GET", /^\/style\.css$/, serveFile("style.css", "text/css; charset=utf-8")],
  ["GET", /^\/refresh\.js$/, serveFile("refresh.js", "text/javascript; charset=utf-8")],
  ["GET", /^\/messages\/([^/]+)$/, withMail(({ response }, mail) => sendPage(response, 200, mailPage(mail)))],
  ["GET", /^\/messages\/([^/]+)\/html$/, withMail(showHtml)],
  ["GET", /^\/messages\/([^/]+)\/raw$/, withMail(showSource)],
  ["GET", /^\/messages\/([^/]+)\/attachments\/(\d{1,4})$/, withMail(download)],
  ["GET", /^\/api\/messages$/, listMessages],
  ["DELETE", /^\/api\/messages$/, clearMessages],
  ["GET", /^\/api\/messages\/([^/]+)$/, withMail(({ response }, mail) => sendJson(response, 200, messageView(mail)))],
  ["GET", /^\/api\/has$/, hasMessage],
];

/** Starts the mailbox page and its JSON on 127.0.0.1; throws when the port is taken. */
export async function startPages(store: MailStore, smtpUrl: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    answer(store, smtpUrl, request, response).catch((error: unknown) => {
      console.error(error);
      response.headersSent ? response.destroy() : response.writeHead(500).end();
    });
  });
  await listen(server, { port, host: "127.0.0.1", advice: portAdvice });
  return server;
}

async function answer(
  store: MailStore,
  smtpUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cache-control", "no-store");
  const [pathname = "/", query = ""] = (request.url ?? "/").split("?");
  const method = request.method === "HEAD" ? "GET" : request.method;
  for (const [routeMethod, pattern, handler] of routes) {
    const match = pattern.exec(pathname);
    if (match !== null && routeMethod === method) {
      await handler({ store, smtpUrl, query: new URLSearchParams(query), path: match.slice(1), response });
      return;
    }
  }
  sendMissing(pathname, response);
}

async function showList({ store, smtpUrl, response }: Call): Promise<void> {
  sendPage(response, 200, listPage(await store.list(), smtpUrl));
}

function showHtml({ response }: Call, mail: Mail): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": mailPolicy });
  response.end(`<base target="_blank">${mail.html ?? ""}`);
}

function showSource({ response }: Call, mail: Mail): void {
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8", "content-security-policy": mailPolicy });
  response.end(mail.raw);
}

function download({ path, response }: Call, mail: Mail): void {
  const attachment = mail.attachments[Number(path[1])];
  if (attachment === undefined) {
    sendPage(response, 404, missingPage());
    return;
  }
  // Never the type that the mail names: a browser must not open what a stranger sent as a page of ours.
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename*=UTF-8''${encodeFileName(attachment.file_name)}`,
    "content-length": attachment.size,
    "content-security-policy": mailPolicy,
  });
  response.end(attachment.content);
}

async function listMessages({ store, query, response }: Call): Promise<void> {
  sendJson(response, 200, await store.list(query.get("recipient") ?? undefined));
}

async function clearMessages({ store, response }: Call): Promise<void> {
  await store.clear();
  response.writeHead(204).end();
}

async function hasMessage({ store, query, response }: Call): Promise<void> {
  const count = await store.count(query.get("message_id") ?? "");
  sendJson(response, 200, { has: count > 0, count });
}

function messageView({ raw, attachments, ...mail }: Mail): object {
  const views = attachments.map(({ content, ...attachment }, index) => ({
    ...attachment,
    url: `/messages/${mail.id}/attachments/${index}`,
  }));
  return { ...mail, attachments: views };
}

function withMail(handler: (call: Call, mail: Mail) => void): Handler {
  return async (call) => {
    const mail = await call.store.find(call.path[0] ?? "");
    if (mail === null) {
      sendMissing(call.response.req.url ?? "/", call.response);
    } else {
      handler(call, mail);
    }
  };
}

function serveFile(name: string, contentType: string): Handler {
  const content = readFileSync(new URL(`page/${name}`, import.meta.url));
  return ({ response }) => {
    response.writeHead(200, { "content-type": contentType }).end(content);
  };
}

function sendPage(response: ServerResponse, status: number, page: string): void {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8", "content-security-policy": pagePolicy });
  response.end(page);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function sendMissing(path: string, response: ServerResponse): void {
  if (path.startsWith("/api/")) {
    sendJson(response, 404, { error: "not_found" });
  } else {
    sendPage(response, 404, missingPage());
  }
}

function encodeFileName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
