import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Job } from "../../../engine/index.ts";
import { endpointEntity } from "../../../jobs/deliver-webhook.ts";
import { waitForLock } from "../../../platform/postgres/locks.ts";
import { WebhookEndpoint } from "../../entities/webhooks/webhook-endpoint.ts";

/** The settings of an endpoint that people enter. */
export type EndpointFields = Pick<WebhookEndpoint, "url" | "description" | "eventTypes" | "isActive">;
export type EndpointPatch = { [Key in keyof EndpointFields]?: EndpointFields[Key] | undefined };

interface Page {
  limit: number;
  offset: number;
}

/** Endpoints of webhooks as rows; a missing one is `null`, never an error. Only `secrets` returns secrets. */
export const webhookEndpoints = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(WebhookEndpoint, { id }),

  lock: (tx: EntityManager, id: string) =>
    tx.findOne(WebhookEndpoint, { where: { id }, lock: { mode: "pessimistic_write" } }),

  /** One page, newest first, and the total; two statements. */
  list: (tx: EntityManager, page: Page) =>
    tx.findAndCount(WebhookEndpoint, { order: { id: "DESC" }, take: page.limit, skip: page.offset }),

  /** The number of endpoints; no other transaction can add one until this one ends. */
  async countAlone(tx: EntityManager): Promise<number> {
    await waitForLock(tx, "webhookEndpoints");
    return tx.count(WebhookEndpoint);
  },

  active: (tx: EntityManager) =>
    tx.find(WebhookEndpoint, {
      where: { isActive: true },
      select: { id: true, eventTypes: true, consecutiveFailures: true },
      order: { id: "ASC" },
    }),

  async insert(tx: EntityManager, row: EndpointFields & { createdBy: string; secret: string }): Promise<string> {
    const [{ id }] = await tx.query(
      `INSERT INTO webhook_endpoints (url, description, event_types, is_active, created_by, secret)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
      [row.url, row.description, row.eventTypes, row.isActive, row.createdBy, row.secret],
    );
    return id;
  },

  async patch(tx: EntityManager, id: string, change: EndpointPatch) {
    await tx.update(WebhookEndpoint, { id }, change as QueryDeepPartialEntity<WebhookEndpoint>);
  },

  /** Resets the failures, as of a new endpoint. */
  async clearFailures(tx: EntityManager, id: string) {
    await tx.query(
      `UPDATE webhook_endpoints
       SET consecutive_failures = 0, failing_since = NULL, disabled_at = NULL, disabled_reason = NULL
       WHERE id = $1 AND (consecutive_failures > 0 OR disabled_at IS NOT NULL)`,
      [id],
    );
  },

  /** Resets the failures after a success; a disabled endpoint stays disabled. */
  async recordSuccess(tx: EntityManager, id: string) {
    await tx.query(
      `UPDATE webhook_endpoints SET consecutive_failures = 0, failing_since = NULL
       WHERE id = $1 AND consecutive_failures > 0 AND disabled_at IS NULL`,
      [id],
    );
  },

  async remove(tx: EntityManager, id: string): Promise<boolean> {
    return (await tx.delete(WebhookEndpoint, { id })).affected === 1;
  },

  /** The secrets that receivers may verify with now, the newest first. */
  async secrets(tx: EntityManager, id: string): Promise<string[]> {
    const rows: { secret: string; previous: string | null }[] = await tx.query(
      `SELECT secret, CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous
       FROM webhook_endpoints WHERE id = $1`,
      [id],
    );
    return rows.flatMap(({ secret, previous }) => (previous === null ? [secret] : [secret, previous]));
  },

  /** Gives it a new secret; the previous one stays valid for this many hours. False when there is no such endpoint. */
  async rotate(tx: EntityManager, id: string, next: { secret: string; overlapHours: number }): Promise<boolean> {
    const [, affected]: [unknown, number] = await tx.query(
      `UPDATE webhook_endpoints SET previous_secret = secret, secret = $2,
         previous_secret_until = now() + $3 * interval '1 hour'
       WHERE id = $1`,
      [id, next.secret, next.overlapHours],
    );
    return affected === 1;
  },

  /** Counts a failed attempt; the endpoint is disabled after `failures` of them over `days` or more. */
  async recordFailure(tx: EntityManager, id: string, limit: { failures: number; days: number; reason: string }) {
    const isTooMuch = `is_active AND consecutive_failures + 1 >= $2 AND failing_since <= now() - $3 * interval '1 day'`;
    await tx.query(
      `UPDATE webhook_endpoints SET consecutive_failures = consecutive_failures + 1,
         failing_since = coalesce(failing_since, now()),
         disabled_at = CASE WHEN ${isTooMuch} THEN now() ELSE disabled_at END,
         disabled_reason = CASE WHEN ${isTooMuch} THEN $4 ELSE disabled_reason END,
         is_active = is_active AND NOT coalesce(${isTooMuch}, false)
       WHERE id = $1`,
      [id, limit.failures, limit.days, limit.reason],
    );
  },

  /** Disables it, and records why. */
  async disable(tx: EntityManager, id: string, reason: string) {
    await tx.query(
      `UPDATE webhook_endpoints SET is_active = false, disabled_at = now(), disabled_reason = $2
       WHERE id = $1 AND is_active`,
      [id, reason],
    );
  },

  /** One page of its deliveries, the newest first, and the total; two statements. */
  deliveries: (tx: EntityManager, id: string, page: Page) =>
    tx.findAndCount(Job, {
      where: { entityType: endpointEntity, entityId: id },
      order: { createdAt: "DESC", id: "DESC" },
      take: page.limit,
      skip: page.offset,
    }),
};
