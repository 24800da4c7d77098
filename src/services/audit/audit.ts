import type { EntityManager } from "typeorm";
import { auditLog, type NewAuditEntry } from "../../db/dao/audit/audit-log.ts";
import { type AuditMethod, auditMethods } from "../../db/entities/audit/audit-entry.ts";
import type { Transact } from "../../engine/index.ts";

type Entry = Omit<NewAuditEntry, "payload"> & { payload: unknown };

/** True for methods that the log records; reads are not recorded. */
export const isAudited = (method: string): method is AuditMethod =>
  (auditMethods as readonly string[]).includes(method);

/** The URL of a request for the log: always a valid URI, at most 4,000 characters, without secrets. */
export function auditEndpoint(base: string, pathAndQuery: string): string {
  return base + asUri(withoutSecretPairs(pathAndQuery));
}

/**
 * Records one change that staff made or tried to make; a list as payload is wrapped, as contract 2.4 requires, and
 * values that look like secrets or data of cards are left out.
 */
export function recordAudit(tx: EntityManager, entry: Entry) {
  return auditLog.insert(tx, { ...entry, payload: storable(asObject(withoutSecrets(entry.payload))) });
}

/**
 * As `recordAudit`, as a link of the chain that reveals later edits of the log; returns the link, which should be kept
 * out of reach of those who can write to the database.
 */
export function recordChained(transact: Transact, entry: Entry) {
  return transact({ actorId: entry.userId, traceId: entry.requestId }, (tx) => appendAudit(tx, entry));
}

/** As `recordChained`, in the transaction of the recorded act; other such transactions wait until it ends. */
export function appendAudit(tx: EntityManager, entry: Entry) {
  const payload = storable(asObject(withoutSecrets(entry.payload)));
  // Only links of erasures have these names: they prove other rows, and no erasure changes them.
  const { erasure: _erasure, erased_links: _links, ...others } = payload ?? {};
  return auditLog.append(tx, { ...entry, payload: payload && others });
}

/** Longer values tell no more about the act. */
const maxPayloadLength = 100_000;

/** Postgres' jsonb accepts neither U+0000 nor half a surrogate pair, and no request may fill the log. */
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

/** Encodes what a URI cannot contain: Node accepts brackets, quotes and single percent signs. */
function asUri(path: string) {
  return path.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/?%]/gi, (character) => encodeURIComponent(character));
}

const secretName = /token|secret|password|api.?key|csrf/i;

/** No client should send a secret in a URL, but some will. */
function withoutSecretPairs(url: string) {
  const [path, ...rest] = url.slice(0, 4_000).split("?");
  if (rest.length === 0) return path ?? "";
  const pairs = rest.join("?").split("&");
  // Pair by pair: one expression over the whole URL takes minutes for a malicious one.
  const shown = pairs.map((pair) => {
    const [name = ""] = pair.split("=", 1);
    return secretName.test(name) && pair.length > name.length ? `${name}=***` : pair;
  });
  return `${path}?${shown.join("&")}`;
}

/** Anywhere in a name, however it is spelled. */
const telling =
  /passw|passphrase|secret|token|credential|authorization|cookie|apikey|accesskey|privatekey|cardno|cardnum|creditcard|cvv|cvc|accountnumber/;
/** Only as a whole word: they are parts of harmless ones. */
const words = ["card", "cards", "pan", "pin", "otp", "csc", "iban"];

/** A copy of the value without properties that are named like a secret or data of a card, at any depth. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !isSecret(name));
  return Object.fromEntries(kept.map(([name, part]) => [name, withoutSecrets(part)]));
}

function isSecret(name: string) {
  const parts = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return telling.test(parts.join("")) || parts.some((part) => words.includes(part));
}
