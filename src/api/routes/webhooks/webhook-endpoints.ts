import { z } from "zod";
import { webhookEndpoints } from "../../../db/dao/webhooks/webhook-endpoints.ts";
import { eventTypes } from "../../../db/entities/webhooks/event.ts";
import { findJob } from "../../../engine/index.ts";
import { NotFoundError, ValidationError } from "../../../errors.ts";
import { ForbiddenTargetError, type OutboundRules, readOutboundUrl } from "../../../platform/outbound-url.ts";
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  getEndpoint,
  pingEndpoint,
  rotateSecret,
} from "../../../services/webhooks/webhook-endpoints.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, optionalLine, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import {
  DeliveryView,
  deliveryView,
  WebhookEndpointView,
  WebhookEndpointWithSecret,
  webhookEndpointView,
} from "../../views/webhook-endpoint.ts";

const tag = "Webhook endpoints";
const access = "ADMIN";
const params = z.object({ webhook_endpoint_id: uuid });
const shownOnce = "The answer has the secret in it, and nothing else ever will; keep it from caches and logs.";
const noStore = { "cache-control": "no-store" };

const Fields = z.object({
  url: z.string().trim().min(1).max(2_000).meta({
    format: "uri",
    description: "A public https address, port 443 or above 1024, without user or password",
  }),
  description: optionalLine().optional(),
  event_types: z
    .array(z.enum(eventTypes))
    .min(1)
    .max(eventTypes.length)
    .transform((types) => [...new Set(types)]),
  is_active: boolean.optional().meta({ description: "True when absent" }),
});

/** The normalized URL; throws 422 for an address that may not be used, judged by its text. */
function checkedUrl(input: string, rules: OutboundRules) {
  try {
    return readOutboundUrl(input, rules).href;
  } catch (error) {
    if (!(error instanceof ForbiddenTargetError)) throw error;
    const msg = `Value error, webhooks cannot be sent there: ${error.message}`;
    throw new ValidationError([{ type: "value_error", loc: ["body", "url"], msg, input }]);
  }
}

export const webhookEndpointRoutes = [
  defineRoute({
    method: "get",
    path: "/webhook-endpoints",
    summary: "List webhook endpoints, newest first",
    tag,
    access,
    query: pageQuery(),
    responses: { 200: pageOf(WebhookEndpointView), 422: InvalidRequest },
    async handle(_context, { query, reader }) {
      const [rows, total] = await webhookEndpoints.list(reader, slice(query));
      return { status: 200, body: toPage(rows.map(webhookEndpointView), total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/webhook-endpoints/{webhook_endpoint_id}",
    summary: "Get a webhook endpoint",
    tag,
    access,
    params,
    responses: { 200: WebhookEndpointView, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, reader }) {
      const endpoint = await getEndpoint(reader, params.webhook_endpoint_id);
      return { status: 200, body: webhookEndpointView(endpoint) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/webhook-endpoints",
    summary: "Create a webhook endpoint; 50 are allowed in all",
    description: `Events are signed as https://www.standardwebhooks.com has it. ${shownOnce}`,
    tag,
    access,
    body: Fields,
    responses: { 201: WebhookEndpointWithSecret, 409: Problem, 422: InvalidRequest },
    async handle({ webhookRules }, { body, actor, commit }) {
      const fields = {
        url: checkedUrl(body.url, webhookRules),
        description: body.description ?? null,
        eventTypes: body.event_types,
        isActive: body.is_active ?? true,
      };
      return commit(async (tx) => {
        const { id, secret } = await createEndpoint(tx, { fields, createdBy: actor.id });
        const view = webhookEndpointView(await getEndpoint(tx, id));
        return { status: 201, body: { ...view, secret }, headers: noStore };
      });
    },
  }),
  defineRoute({
    method: "patch",
    path: "/webhook-endpoints/{webhook_endpoint_id}",
    summary: "Update a webhook endpoint",
    description: "Enabling it resets its failures. Deliveries that were missed can be retried.",
    tag,
    access,
    params,
    body: Fields.partial(),
    responses: { 200: WebhookEndpointView, 404: Problem, 422: InvalidRequest },
    async handle({ webhookRules }, { params: { webhook_endpoint_id: id }, body, commit }) {
      const patch = {
        url: body.url === undefined ? undefined : checkedUrl(body.url, webhookRules),
        description: body.description,
        eventTypes: body.event_types,
        isActive: body.is_active,
      };
      return commit(async (tx) => {
        await changeEndpoint(tx, { id, patch });
        return { status: 200, body: webhookEndpointView(await getEndpoint(tx, id)) };
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/webhook-endpoints/{webhook_endpoint_id}",
    summary: "Delete a webhook endpoint",
    tag,
    access,
    params,
    responses: { 204: z.null(), 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, commit }) {
      return commit(async (tx) => {
        await deleteEndpoint(tx, params.webhook_endpoint_id);
        return { status: 204 };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/webhook-endpoints/{webhook_endpoint_id}/rotate-secret",
    summary: "Rotate the secret",
    description: `For 24 hours, events are signed with the previous secret as well. ${shownOnce}`,
    tag,
    access,
    params,
    responses: { 200: WebhookEndpointWithSecret, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params: { webhook_endpoint_id: id }, commit }) {
      return commit(async (tx) => {
        const secret = await rotateSecret(tx, id);
        const view = webhookEndpointView(await getEndpoint(tx, id));
        return { status: 200, body: { ...view, secret }, headers: noStore };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/webhook-endpoints/{webhook_endpoint_id}/test",
    summary: "Send the event `ping`, even to a disabled endpoint",
    tag,
    access,
    params,
    idempotent: true,
    responses: { 202: JobLink, 404: Problem, 422: InvalidRequest },
    async handle({ publicUrl }, { params, commit }) {
      return commit(async (tx) => {
        const job = await findJob(tx, await pingEndpoint(tx, params.webhook_endpoint_id));
        if (!job) throw new NotFoundError("The job of the ping does not exist any more");
        const link = jobLink(job, publicUrl);
        return { status: 202, body: link, headers: { location: link.url } };
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/webhook-endpoints/{webhook_endpoint_id}/deliveries",
    summary: "List deliveries with their failed attempts, newest first",
    tag,
    access,
    params,
    query: pageQuery(),
    responses: { 200: pageOf(DeliveryView), 404: Problem, 422: InvalidRequest },
    async handle(_context, { params: { webhook_endpoint_id: id }, query, reader }) {
      await getEndpoint(reader, id);
      const [rows, total] = await webhookEndpoints.deliveries(reader, id, slice(query));
      return { status: 200, body: toPage(rows.map(deliveryView), total, query) };
    },
  }),
];
