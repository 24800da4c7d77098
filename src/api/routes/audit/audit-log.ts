import { z } from "zod";
import { auditLog } from "../../../db/dao/audit/audit-log.ts";
import { type AuditEntry, auditMethods } from "../../../db/entities/audit/audit-entry.ts";
import { isAudited } from "../../../services/audit/audit.ts";
import { defineRoute } from "../../http/define-route.ts";
import { timestamp } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest } from "../../http/problem.ts";
import type { Profile } from "../../http/types.ts";
import { UserView, userView } from "../../views/user.ts";

const AuditEntryView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    user: UserView,
    method: z.enum([...auditMethods, "GET"]),
    endpoint: z.url(),
    payload: z.record(z.string(), z.unknown()).nullable().meta({ description: "A list is wrapped in `items`" }),
    status: z.int().meta({ description: "HTTP status of the answer" }),
    request_id: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "AuditLog" });

function auditEntryView(entry: AuditEntry, profile: Profile) {
  return {
    id: entry.id,
    user_id: entry.userId,
    user: userView(entry.user, profile),
    // Earlier versions recorded reads such as OPTIONS, which the front end cannot show.
    method: isAudited(entry.method) ? entry.method : ("GET" as const),
    endpoint: entry.endpoint,
    payload: entry.payload,
    status: entry.status,
    request_id: entry.requestId,
    created_at: entry.createdAt.toISOString(),
    updated_at: entry.updatedAt.toISOString(),
  };
}

export const auditLogRoutes = [
  defineRoute({
    method: "get",
    path: "/audit-log",
    summary: "List what staff changed or tried to change, newest first",
    tag: "Audit log",
    access: "EMPLOYEE",
    query: pageQuery(),
    responses: { 200: pageOf(AuditEntryView), 422: InvalidRequest },
    async handle(_context, { query, profile, reader }) {
      const [rows, total] = await auditLog.list(reader, slice(query));
      const items = rows.map((entry) => auditEntryView(entry, profile));
      return { status: 200, body: toPage(items, total, query) };
    },
  }),
];
