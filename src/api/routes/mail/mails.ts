import { z } from "zod";
import { mails, shownMailStates } from "../../../db/dao/mail/mails.ts";
import { customerTypes, languages } from "../../../db/entities/accounts/user.ts";
import {
  requestPriceListMail,
  requestVerificationMail,
  resendMail,
  tooManyMails,
} from "../../../services/mail/mails.ts";
import { pauseNewsletter, requestNewsletter, resumeNewsletter } from "../../../services/mail/newsletters.ts";
import { shopUrl } from "../../../services/shop-url.ts";
import { defineRoute } from "../../http/define-route.ts";
import { email, line, searchTerm, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem, problem } from "../../http/problem.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import { MailView, mailView } from "../../views/mail.ts";
import { operatorOf } from "../operations/operator.ts";

const tag = "Mail";
const staffOnly = { 401: Problem, 403: Problem, 422: InvalidRequest };

const jobRoute = {
  tag,
  access: "EMPLOYEE",
  params: z.object({ job_id: uuid }),
  responses: { 204: z.null(), 404: Problem, 409: Problem, ...staffOnly },
} as const;

export const mailRoutes = [
  defineRoute({
    method: "get",
    path: "/mail",
    summary: "List mails with the mail server's answers, newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery().extend({
      recipient: searchTerm.optional().meta({ description: "The whole address; case does not count" }),
      state: z.enum(shownMailStates).optional(),
      kind: searchTerm.optional(),
    }),
    responses: { 200: pageOf(MailView), ...staffOnly },
    async handle(_context, { query, reader }) {
      const [rows, total] = await mails.list(reader, query, slice(query));
      return { status: 200, body: toPage(rows.map(mailView), total, query) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/{mail_id}/resend",
    summary: "Resend a mail, with a reason",
    description:
      "An unsuccessful mail is sent under its own Message-ID, so that mail clients recognise a second copy; one that was sent " +
      "or held back is sent as a new mail. 409 while it is being sent, 429 when the mailbox has had its share of the day.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params: z.object({ mail_id: uuid }),
    body: z.object({ reason: line(500) }),
    responses: { 200: z.object({ mail_id: z.uuid(), job_id: z.uuid() }), 404: Problem, 409: Problem, ...staffOnly },
    handle(context, { params: { mail_id: id }, body: { reason }, actor, commit }) {
      const { unprovedMailsPerDay: maxMails } = context;
      return commit(async (tx) => {
        const operator = await operatorOf(context, tx, actor, reason);
        const { mailId, jobId } = await resendMail(tx, { id, operator, maxMails });
        return { status: 200, body: { mail_id: mailId, job_id: jobId } };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/newsletters",
    summary: "Send the day's price list to every subscribed customer",
    description:
      "The job enqueues one mail for each customer and waits for them: `GET /jobs/{id}` shows its progress, and cancelling it " +
      "stops those that are not sent. Each recipient gets it once, even when workers die.",
    tag,
    access: "EMPLOYEE",
    act: { act: "start", kind: "send-newsletter" },
    idempotent: true,
    body: z.object({
      customer_types: z
        .array(z.enum(customerTypes))
        .min(1)
        .max(3)
        .default([...customerTypes]),
    }),
    responses: { 202: JobLink, ...staffOnly },
    handle({ publicUrl }, { body: { customer_types }, commit }) {
      return commit(async (tx) => {
        const id = await requestNewsletter(tx, customer_types);
        return { status: 202, body: jobLink({ id, state: "open" }, publicUrl) };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/newsletters/{job_id}/pause",
    summary: "Pause a newsletter",
    ...jobRoute,
    act: { act: "pause", kind: "send-newsletter" },
    handle(_context, { params: { job_id }, actor, commit }) {
      return commit(async (tx) => {
        await pauseNewsletter(tx, job_id, actor.id);
        return { status: 204 };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/newsletters/{job_id}/resume",
    summary: "Resume a newsletter",
    ...jobRoute,
    act: { act: "resume", kind: "send-newsletter" },
    handle(_context, { params: { job_id }, commit }) {
      return commit(async (tx) => {
        await resumeNewsletter(tx, job_id);
        return { status: 204 };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/verifications",
    summary: "Send the link that verifies an e-mail address",
    description:
      "For the identity provider, which makes the link; it must lead to the shop. 429 when the mailbox has had its " +
      "share of the day: the mail is recorded as held back, and staff may send it.",
    tag,
    access: "api-key",
    idempotent: true,
    body: z.object({
      recipient: email,
      first_name: line().meta({
        description: "Ignored: the address is not verified, so no text of the sender is shown",
      }),
      url: z
        .url()
        .max(2_000)
        .meta({ description: `Under ${shopUrl}` }),
      language: z.enum(languages).default("ru"),
    }),
    responses: { 200: z.object({ id: z.uuid().meta({ description: "The job that sends it" }) }), 422: InvalidRequest },
    handle({ unprovedMailsPerDay: maxMails }, { body: { recipient, url, language }, txContext, commit }) {
      return commit(async (tx) => {
        const id = await requestVerificationMail(tx, { recipient, url, language, maxMails });
        return id === null ? problem(tooManyMails("verification", maxMails), txContext) : { status: 200, body: { id } };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/{recipient}",
    summary: "Send today's price list to one address",
    tag,
    access: "api-key",
    idempotent: true,
    params: z.object({ recipient: email }),
    responses: { 200: z.object({ id: z.uuid().meta({ description: "The job that sends it" }) }), 422: InvalidRequest },
    handle({ unprovedMailsPerDay: maxMails }, { params: { recipient }, txContext, commit }) {
      return commit(async (tx) => {
        const id = await requestPriceListMail(tx, { recipient, maxMails });
        return id === null ? problem(tooManyMails("price-list", maxMails), txContext) : { status: 200, body: { id } };
      });
    },
  }),
];
