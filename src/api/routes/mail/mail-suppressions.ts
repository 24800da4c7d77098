import { z } from "zod";
import { mailSuppressions } from "../../../db/dao/mail/mail-suppressions.ts";
import { type MailSuppression, suppressionReasons } from "../../../db/entities/mail/mail-suppression.ts";
import { BadRequestError, ForgedLinkError, NotFoundError } from "../../../errors.ts";
import { judgeReply } from "../../../platform/smtp-replies.ts";
import { checkSignature, refuseUnsigned, type WebhookHeaders } from "../../../platform/webhook-signature.ts";
import { suppressAddress, unsubscribe, unsuppressAddress } from "../../../services/mail/mail-suppressions.ts";
import { defineRoute } from "../../http/define-route.ts";
import { email, line, timestamp } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext, Result } from "../../http/types.ts";
import { unsubscribePage } from "../../pages/unsubscribe-page.ts";

const tag = "Mail";
const staffOnly = { 401: Problem, 403: Problem, 422: InvalidRequest };
const page = { mediaTypes: ["text/html"] };
const byLink = { params: z.object({ token: line(100) }), access: "public", tag } as const;

const SuppressionView = z
  .object({
    address: z.string(),
    reason: z.enum(suppressionReasons).meta({ description: "unsubscribed keeps bulk mail away, the others all mail" }),
    detail: z.string().nullable(),
    created_by: z.uuid().nullable(),
    created_at: timestamp,
  })
  .meta({ id: "MailSuppression" });

const suppressionView = ({ address, reason, detail, createdBy, createdAt }: MailSuppression) => ({
  address,
  reason,
  detail,
  created_by: createdBy,
  created_at: createdAt.toISOString(),
});

/** What mail providers report of an address that cannot get mail or wants none. */
const Event = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("email.bounced"),
    data: z.object({
      to: z.array(email).max(100),
      bounce: z.object({ type: z.string().max(100), message: z.string().max(1_000).optional() }).optional(),
    }),
  }),
  z.object({ type: z.literal("email.complained"), data: z.object({ to: z.array(email).max(100) }) }),
]);

function parse(bytes: Buffer) {
  try {
    const event = z.looseObject({ type: z.string() }).parse(JSON.parse(bytes.toString()));
    return ["email.bounced", "email.complained"].includes(event.type) ? Event.parse(event) : undefined;
  } catch {
    throw new BadRequestError("Invalid payload structure");
  }
}

/** A full mailbox will be empty again, and a server that refuses the shop or this mail says nothing of the address. */
function isAboutAddress({ type, message = "" }: { type: string; message?: string | undefined }) {
  if (/^(transient|temporary|soft)$/i.test(type)) return false;
  const [reply = ""] = /[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}.*/s.exec(message) ?? [];
  const judged = judgeReply("RCPT", reply);
  return !judged || judged.rule.about === "recipient";
}

function providerHook({ mailWebhook }: ApiContext) {
  if (!mailWebhook) throw new NotFoundError("Not Found");
  return mailWebhook;
}

const prefixOf = (headers: WebhookHeaders) => (headers["svix-signature"] === undefined ? "webhook" : "svix");

function readLink({ mailLinks }: ApiContext, token: string) {
  const mailId = mailLinks?.readUnsubscribe(token);
  if (mailId === undefined) throw new ForgedLinkError("This link is not one of ours");
  return mailId;
}

async function* once(text: string) {
  yield text;
}

function showPage(isDone: boolean): Result {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'",
  };
  return { status: 200, stream: once(unsubscribePage(isDone)), headers };
}

export const mailSuppressionRoutes = [
  defineRoute({
    method: "get",
    path: "/mail/suppressions",
    summary: "List suppressed addresses, newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery(),
    responses: { 200: pageOf(SuppressionView), ...staffOnly },
    async handle(_context, { query, reader }) {
      const [rows, total] = await mailSuppressions.list(reader, slice(query));
      return { status: 200, body: toPage(rows.map(suppressionView), total, query) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/suppressions",
    summary: "Suppress an address",
    tag,
    access: "EMPLOYEE",
    body: z.object({ address: email, detail: line(500).optional() }),
    responses: { 200: SuppressionView, ...staffOnly },
    handle(_context, { body: { address, detail = null }, actor, commit }) {
      return commit(async (tx) => {
        const row = await suppressAddress(tx, { address, reason: "staff", detail, createdBy: actor.id });
        return { status: 200, body: suppressionView(row) };
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/mail/suppressions/{address}",
    summary: "Lift the suppression of an address",
    tag,
    access: "EMPLOYEE",
    params: z.object({ address: email }),
    responses: { 204: z.null(), 404: Problem, ...staffOnly },
    handle(_context, { params: { address }, commit }) {
      return commit(async (tx) => {
        await unsuppressAddress(tx, address);
        return { status: 204 };
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/mail/unsubscribe/{token}",
    summary: "Page to unsubscribe from bulk mail",
    description: "Changes nothing by itself: programs that look into mails open every link.",
    ...byLink,
    responses: { 200: page, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { token } }) {
      readLink(context, token);
      return showPage(false);
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/unsubscribe/{token}",
    summary: "Unsubscribe from bulk mail with one click (RFC 8058), by the signed link",
    ...byLink,
    raw: true,
    responses: { 200: page, 404: Problem, 422: InvalidRequest },
    refuse(context, { params: { token } }) {
      readLink(context, token);
    },
    async handle(context, { params: { token }, commit }) {
      const mailId = readLink(context, token);
      await commit(async (tx) => {
        await unsubscribe(tx, mailId);
        return { status: 204 };
      });
      return showPage(true);
    },
  }),
  defineRoute({
    method: "post",
    path: "/webhooks/mail",
    summary: "Receive bounces and complaints from the mail provider",
    description:
      "`email.bounced` (those that are permanent) and `email.complained` put every address in `data.to` on the " +
      "suppression list. Signed as https://www.standardwebhooks.com has it, headers `webhook-…` or `svix-…`.",
    tag: "Webhooks",
    access: "public",
    raw: true,
    responses: {
      200: z.object({ message: z.string() }),
      400: Problem,
      401: Problem,
      404: Problem,
      422: InvalidRequest,
    },
    refuse(context, { headers }) {
      providerHook(context);
      refuseUnsigned(headers, prefixOf(headers));
    },
    async handle(context, { bytes, headers, commit }) {
      checkSignature(providerHook(context), bytes, headers, prefixOf(headers));
      const event = parse(bytes);
      const bounce = event?.type === "email.bounced" ? event.data.bounce : undefined;
      if (!event || (bounce && !isAboutAddress(bounce)))
        return { status: 200, body: { message: "Event of no interest" } };
      const reason = event.type === "email.bounced" ? "bounce" : "complaint";
      return commit(async (tx) => {
        for (const address of event.data.to) {
          await suppressAddress(tx, { address, reason, detail: bounce?.message ?? null, createdBy: null });
        }
        return { status: 200, body: { message: "Addresses suppressed" } };
      });
    },
  }),
];
