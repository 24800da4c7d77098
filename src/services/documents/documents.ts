import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { users } from "../../db/dao/accounts/users.ts";
import { documents, type StoredFile } from "../../db/dao/documents/documents.ts";
import type { Document } from "../../db/entities/documents/document.ts";
import { type EnqueueOptions, enqueue } from "../../engine/index.ts";
import { ForbiddenError, NotFoundError, TooManyRequestsError } from "../../errors.ts";
import { renderDocument } from "../../jobs/render-document.ts";
import { waitForLockOn } from "../../platform/postgres/locks.ts";
import { requestMails } from "../mail/mails.ts";
import type { Shop } from "./kinds/define-kind.ts";
import { type DocumentKind, definitionOf, namesOf, publicPriceList, sourceOf } from "./kinds/index.ts";

export type DocumentRequest = DocumentKind & {
  requestedBy: string | null;
  /** Sends them a mail when it is made. */
  notify?: boolean;
};

/** Concurrent documents of one user: three browser windows full of prints, with six connections each. */
export const maxInFlight = 18;
/** A worker makes about as many in that time. */
const retryAfterSeconds = 5;

/**
 * The document of these data: the caller's existing one, made or being made; else a new row of the caller for the file
 * that another user's document of the same data has; else a new document, whose job is enqueued now. Throws
 * `NotFoundError` when there is no such order or waybill, and `TooManyRequestsError` when too many are being made for
 * this user; documents of no user (`requestedBy` null) are not counted.
 */
export async function requestDocument(
  tx: EntityManager,
  request: DocumentRequest,
  shop: Shop,
  options?: EnqueueOptions,
): Promise<Document> {
  const { kind, format, parameters, requestedBy } = request;
  await definitionOf(kind).issue?.(tx, parameters);
  const { hash: sourceHash } = await sourceOf(tx, request, shop);
  // Of two concurrent requests the second one waits here, and then sees the row of the first.
  await waitForLockOn(tx, JSON.stringify(["document", sourceHash]));
  const same = await documents.findSame(tx, sourceHash, requestedBy);
  const isOwn = same?.requestedBy === requestedBy;
  const id = same && isOwn ? same.id : uuidv7();
  if (!same || !isOwn) {
    if (requestedBy !== null && !same?.readyAt) await checkInFlight(tx, requestedBy);
    const fileName = namesOf(request).shown;
    await documents.insert(tx, { id, kind, format, parameters, requestedBy, fileName, sourceHash });
    if (same) await documents.share(tx, id, same.id);
    else await documents.attachJob(tx, id, await enqueue(tx, renderDocument, { documentId: id }, options));
  }
  if (request.notify) await documents.setNotify(tx, id);
  const document = await documents.findById(tx, id);
  if (!document) throw new Error(`Document '${id}' is missing although it was just inserted`);
  if (document.readyAt) await sendReadyMail(tx, document);
  return document;
}

/** Always after the lock of the document itself, so that two requests never deadlock. */
async function checkInFlight(tx: EntityManager, userId: string) {
  await waitForLockOn(tx, JSON.stringify(["documents", userId]));
  if ((await documents.countUnfinished(tx, userId)) < maxInFlight) return;
  throw new TooManyRequestsError(
    `${maxInFlight} documents are being made for you already; try again when some are ready, in about ${retryAfterSeconds} s`,
    retryAfterSeconds,
  );
}

/** Records the file of all documents that a job makes, and sends mails to requesters who want one. May be repeated. */
export async function finishDocument(tx: EntityManager, jobId: string, file: StoredFile): Promise<void> {
  await documents.complete(tx, jobId, file);
  for (const document of await documents.ofJob(tx, jobId)) await sendReadyMail(tx, document);
}

/**
 * Sends requesters who want it a mail that a document is made; once, however often it is called. No mail goes to an
 * unverified address: it may be a third person's, and each document would be one more mail.
 */
async function sendReadyMail(tx: EntityManager, { id, notify, requestedBy }: Document) {
  if (!notify || requestedBy === null) return;
  const user = await users.findById(tx, requestedBy);
  if (!user?.isActive || user.emailVerified === false) return;
  const { email: recipient, language } = user;
  const event = `document-ready:${id}`;
  await requestMails(tx, [{ event, kind: "document-ready", recipient, language, parameters: { documentId: id } }]);
}

/**
 * Throws unless a customer may have such a document: `NotFoundError` when its source is another customer's,
 * `ForbiddenError` when it is for staff only.
 */
export async function requireOwnSource(tx: EntityManager, { kind, parameters }: DocumentKind, userId: string) {
  const { about, missing } = definitionOf(kind);
  if (!about) throw new ForbiddenError("Access denied: role USER is not allowed.");
  const { id } = parameters as { id: string };
  if (!(await documents.isOwnSource(tx, about, id, userId))) throw new NotFoundError(missing);
}

/** True when the public price list of a day can be read. */
export async function isPriceListThere(tx: EntityManager, day: string): Promise<boolean> {
  return (await documents.findReady(tx, publicPriceList(day))) !== null;
}

/** Ensures that the public price list of a day exists (true) or is being made (false); may be repeated. */
export async function ensurePriceList(
  tx: EntityManager,
  day: string,
  shop: Shop,
  options?: EnqueueOptions,
): Promise<boolean> {
  if (await isPriceListThere(tx, day)) return true;
  await requestDocument(tx, { ...publicPriceList(day), requestedBy: null }, shop, options);
  return false;
}

/** The feed; it has no source besides the catalogue. */
export const feed = { kind: "feed", format: "xml", parameters: {} } as const satisfies DocumentKind;

/** Ensures that the feed matches the present catalogue (true), or will (false); may be repeated. */
export async function ensureFeed(tx: EntityManager, shop: Shop, options?: EnqueueOptions): Promise<boolean> {
  const { readyAt } = await requestDocument(tx, { ...feed, requestedBy: null }, shop, options);
  return readyAt !== null;
}

/** Its addresses are not compared. */
const anyShop: Shop = { payee: null, publicUrl: (key) => key };

/** Whether the newest feed differs from the present catalogue, or there is none. */
export async function isFeedOutdated(tx: EntityManager): Promise<boolean> {
  const { hash } = await sourceOf(tx, feed, anyShop);
  return (await documents.findReady(tx, feed))?.sourceHash !== hash;
}
