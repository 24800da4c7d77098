import { randomBytes } from "node:crypto";
import type { DataSource } from "typeorm";
import { WebhookEndpoint } from "../../src/db/entities/webhooks/webhook-endpoint.ts";

/** An endpoint of webhooks in the database, with whatever the test cares about. */
export async function addEndpoint(db: DataSource, values: Partial<WebhookEndpoint & { secret: string }> = {}) {
  const { url = "https://receiver.example/", eventTypes = ["order.created"], isActive = true } = values;
  const { secret = `whsec_${randomBytes(32).toString("base64")}` } = values;
  const [{ id }] = await db.query(
    "INSERT INTO webhook_endpoints (url, event_types, is_active, secret) VALUES ($1, $2, $3, $4) RETURNING id",
    [url, eventTypes, isActive, secret],
  );
  const find = () => db.manager.findOneByOrFail(WebhookEndpoint, { id });
  return { id: String(id), secret, find };
}
