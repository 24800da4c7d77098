import { z } from "zod";
import { mails, shownMailStates } from "../../db/dao/mails.ts";
import { customerTypes, languages } from "../../db/entities/user.ts";
import { requestPriceListMail, requestVerificationMail, resendMail, tooManyMails } from "../../services/mails.ts";
import { pauseNewsletter, requestNewsletter, resumeNewsletter } from "../../services/newsletters.ts";
import { shopUrl } from "../../services/shop-url.ts";
import { defineRoute } from "../define-route.ts";
import { email, line, searchTerm, uuid } from "../fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../paging.ts";
import { InvalidRequest, Problem, problem } from "../problem.ts";
import { steererOf } from "../steerer.ts";
import { JobLink, jobLink } from "../views/job.ts";
import { MailView, mailView } from "../views/mail.ts";

const tag = "Mail";
const staffOnly = { 401: Problem, 403: Problem, 422: InvalidRequest };

const steering = {
  tag,
  access: "EMPLOYEE",
  params: z.object({ job_id: uuid }),
  responses: { 204: z.null(), 404: Problem, 409: Problem, ...staffOnly },
} as const;

export const mailRoutes = [
  defineRoute({
    method: "get",
    path: "/mail",
    summary: "What was sent to whom, when, and what the mail server said; newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery().extend({
      recipient: searchTerm.optional().meta({ description: "The whole address, in any case" }),
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
    summary: "Send a mail again, and say why",
    description:
      "One that ended badly goes out under its own Message-ID, so that a second copy is known as one; one that was sent " +
      "or held back goes out as a new mail. 409 while it is on its way, 429 when the mailbox has had its share of a day.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params: z.object({ mail_id: uuid }),
    body: z.object({ reason: line(500) }),
    responses: { 200: z.object({ mail_id: z.uuid(), job_id: z.uuid() }), 404: Problem, 409: Problem, ...staffOnly },
    handle(context, { params: { mail_id: id }, body: { reason }, actor, commit }) {
      const { unprovedMailsPerDay: most } = context;
      return commit(async (tx) => {
        const steerer = await steererOf(context, tx, actor, reason);
        const { mailId, jobId } = await resendMail(tx, { id, steerer, most });
        return { status: 200, body: { mail_id: mailId, job_id: jobId } };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/newsletters",
    summary: "Mail the link to the day's price list to every customer who wants it",
    description:
      "The job promises one mail to each and waits for them: `GET /jobs/{id}` says how far it is, and cancelling it " +
      "stops those that are not out. Nobody gets it twice, however often workers die.",
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
    summary: "Hold back what of a newsletter is not out yet",
    ...steering,
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
    summary: "Let a newsletter that was paused go on",
    ...steering,
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
    summary: "Mail somebody the link that proves an address to be theirs",
    description:
      "For the identity provider, which makes the link; it has to lead to the shop. 429 when the mailbox has had its " +
      "share of a day: the mail is entered as held back, and staff may send it.",
    tag,
    access: "api-key",
    idempotent: true,
    body: z.object({
      recipient: email,
      first_name: line().meta({ description: "Not shown: a stranger may have written it, to anybody's address" }),
      url: z
        .url()
        .max(2_000)
        .meta({ description: `Under ${shopUrl}` }),
      language: z.enum(languages).default("ru"),
    }),
    responses: { 200: z.object({ id: z.uuid().meta({ description: "The job that sends it" }) }), 422: InvalidRequest },
    handle({ unprovedMailsPerDay: most }, { body: { recipient, url, language }, origin, commit }) {
      return commit(async (tx) => {
        const id = await requestVerificationMail(tx, { recipient, url, language, most });
        return id === null ? problem(tooManyMails("verification", most), origin) : { status: 200, body: { id } };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/mail/{recipient}",
    summary: "Mail the link to today's price list to one address",
    tag,
    access: "api-key",
    idempotent: true,
    params: z.object({ recipient: email }),
    responses: { 200: z.object({ id: z.uuid().meta({ description: "The job that sends it" }) }), 422: InvalidRequest },
    handle({ unprovedMailsPerDay: most }, { params: { recipient }, origin, commit }) {
      return commit(async (tx) => {
        const id = await requestPriceListMail(tx, { recipient, most });
        return id === null ? problem(tooManyMails("price-list", most), origin) : { status: 200, body: { id } };
      });
    },
  }),
];
