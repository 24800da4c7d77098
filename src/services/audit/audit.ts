import type { EntityManager } from "typeorm";
import { auditLog, type NewAuditEntry } from "../../db/dao/audit/audit-log.ts";
import { type AuditMethod, auditMethods } from "../../db/entities/audit/audit-entry.ts";
import type { Transact } from "../../engine/index.ts";
import { withoutSecrets } from "./without-secrets.ts";

type Entry = Omit<NewAuditEntry, "payload"> & { payload: unknown };

/** True for what the log can name; to look at something is not entered. */
export const isAudited = (method: string): method is AuditMethod =>
  (auditMethods as readonly string[]).includes(method);

/** The address of a request as the log names it: a URI whatever was sent, of at most 4,000 characters and without secrets. */
export function auditEndpoint(base: string, pathAndQuery: string): string {
  return base + asUri(withoutSecretPairs(pathAndQuery));
}

/**
 * Enters one change that staff made or tried to make; a list as payload is wrapped, as contract 2.4 wants it, and
 * what looks like a secret or like data of a card is left out.
 */
export function recordAudit(tx: EntityManager, entry: Entry) {
  return auditLog.insert(tx, { ...entry, payload: storable(asObject(withoutSecrets(entry.payload))) });
}

/**
 * As `recordAudit`, as a link of the chain that shows whether somebody has edited the log since; returns the link,
 * which should be kept where whoever can write to the database cannot.
 */
export function recordChained(transact: Transact, entry: Entry) {
  return transact({ actorId: entry.userId, traceId: entry.requestId }, (tx) => appendAudit(tx, entry));
}

/** As `recordChained`, in a transaction that does what is entered; others that do so wait until it is over. */
export function appendAudit(tx: EntityManager, entry: Entry) {
  const payload = storable(asObject(withoutSecrets(entry.payload)));
  // Links that have these names are those of erasures: they vouch for other rows, and no erasure changes them.
  const { erasure: _erasure, erased_links: _links, ...others } = payload ?? {};
  return auditLog.append(tx, { ...entry, payload: payload && others });
}

/** Longer ones say no more about what was done. */
const maxPayloadLength = 100_000;

/** Postgres' jsonb knows neither U+0000 nor half a surrogate pair, and nobody may fill the log up. */
function storable(payload: Record<string, unknown> | null) {
  if (payload === null) return null;
  const text = JSON.stringify(payload);
  if (text.length > maxPayloadLength) return { left_out: `${text.length} characters` };
  return JSON.parse(
    text.replace(/\\(\\|u(?:0000|d[89a-f][0-9a-f]{2}))/gi, (found, code) => (code === "\\" ? found : "\ufffd")),
  ) as Record<string, unknown>;
}

function asObject(payload: unknown): Record<string, unknown> | null {
  if (Array.isArray(payload)) return { items: payload };
  return typeof payload === "object" ? (payload as Record<string, unknown> | null) : null;
}

/** What a URI cannot have stands encoded: Node takes brackets, quotes and single percent signs as they come. */
function asUri(path: string) {
  return path.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/?%]/gi, (character) => encodeURIComponent(character));
}

const secretName = /token|secret|password|api.?key|csrf/i;

/** Nobody should send a secret in an address, but somebody will. */
function withoutSecretPairs(url: string) {
  const [path, ...rest] = url.slice(0, 4_000).split("?");
  if (rest.length === 0) return path ?? "";
  const pairs = rest.join("?").split("&");
  // Pair by pair: one expression over the whole address takes minutes for one that is made for it.
  const shown = pairs.map((pair) => {
    const [name = ""] = pair.split("=", 1);
    return secretName.test(name) && pair.length > name.length ? `${name}=***` : pair;
  });
  return `${path}?${shown.join("&")}`;
}
