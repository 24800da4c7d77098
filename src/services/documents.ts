import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { documentSources } from "../db/dao/document-sources.ts";
import { documents, type StoredFile } from "../db/dao/documents.ts";
import { users } from "../db/dao/users.ts";
import type { Document } from "../db/entities/document.ts";
import type { Job } from "../db/entities/job.ts";
import { enqueue, type PromiseOptions } from "../db/outbox.ts";
import { NotFoundError, TooManyRequestsError } from "../errors.ts";
import { renderDocument } from "../jobs/render-document.ts";
import { type DocumentKind, namesOf, publicPriceList } from "./document-kinds.ts";
import { requestMails } from "./mails.ts";

export type DocumentRequest = DocumentKind & {
  requestedBy: string | null;
  /** Tells them by mail when it is made. */
  notify?: boolean;
};

/** A document whose job is known. */
export type PromisedDocument = Document & { job: Job; jobId: string };

/** Documents that are made for one user at once: three browser windows full of prints, with six connections each. */
export const mostInFlight = 18;
/** A worker makes about as many in that time. */
const retryAfterSeconds = 5;

/**
 * Promises a document and returns its row with the job; while the same one is being made for the same person already,
 * that one. Throws `NotFoundError` when there is no such order or waybill, and `TooManyRequestsError` when too many are
 * being made for this user; what nobody in particular asked for (`requestedBy` null) is not counted.
 */
export async function requestDocument(tx: EntityManager, request: DocumentRequest, options?: PromiseOptions) {
  const { kind, format, parameters, requestedBy } = request;
  await checkSource(tx, request);
  // Of two requests at once the second one waits here, and then sees the row of the first.
  await takeTurn(tx, ["document", kind, format, parameters, requestedBy]);
  const unfinished = await documents.findUnfinished(tx, { kind, format, parameters, requestedBy });
  if (unfinished) {
    if (request.notify) await documents.setNotify(tx, unfinished.id);
    return unfinished as PromisedDocument;
  }
  if (requestedBy !== null) await checkInFlight(tx, requestedBy);

  const id = uuidv7();
  await documents.insert(tx, { id, kind, format, parameters, requestedBy, fileName: namesOf(request).shown });
  if (request.notify) await documents.setNotify(tx, id);
  await documents.attachJob(tx, id, await enqueue(tx, renderDocument, { documentId: id }, options));
  return (await documents.findById(tx, id)) as PromisedDocument;
}

/** Always after the turn for the document itself, so that two requests never wait for each other. */
async function checkInFlight(tx: EntityManager, userId: string) {
  await takeTurn(tx, ["documents", userId]);
  if ((await documents.countUnfinished(tx, userId)) < mostInFlight) return;
  throw new TooManyRequestsError(
    `${mostInFlight} documents are being made for you already; try again when some are ready, in about ${retryAfterSeconds} s`,
    retryAfterSeconds,
  );
}

/** Transactions that name the same thing go on one after the other. */
async function takeTurn(tx: EntityManager, key: readonly unknown[]) {
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [JSON.stringify(key)]);
}

/** Enters the file of a document, and tells whoever wanted to be told. May be repeated. */
export async function finishDocument(tx: EntityManager, document: Document, file: StoredFile): Promise<void> {
  await documents.complete(tx, document.id, file);
  const row = await documents.findById(tx, document.id);
  if (!row?.notify || row.requestedBy === null) return;
  const user = await users.findById(tx, row.requestedBy);
  if (!user?.isActive) return;
  const { email: recipient, language } = user;
  const parameters = { documentId: row.id };
  await requestMails(tx, [
    { event: `document-ready:${row.id}`, kind: "document-ready", recipient, language, parameters },
  ]);
}

/** Throws `NotFoundError` unless the order or waybill of a document is this user's; price lists are nobody's. */
export async function requireOwnSource(tx: EntityManager, { kind, parameters }: DocumentKind, userId: string) {
  if (kind === "order") {
    const order = await documentSources.order(tx, parameters.id);
    if (order?.userId !== userId) throw noOrder();
  } else if (kind === "waybill") {
    const waybill = await documentSources.waybill(tx, parameters.id);
    if (!waybill || ![waybill.customerId, waybill.authorId].includes(userId)) throw noWaybill();
  }
}

/** Makes sure that the public price list of a day is there (true) or on its way (false); may be repeated. */
export async function ensurePriceList(tx: EntityManager, day: string, options?: PromiseOptions): Promise<boolean> {
  const list = publicPriceList(day);
  if (await documents.findReady(tx, list)) return true;
  await requestDocument(tx, { ...list, requestedBy: null }, options);
  return false;
}

/** What a row was made of. */
export const kindOf = ({ kind, format, parameters }: Document) => ({ kind, format, parameters }) as DocumentKind;

async function checkSource(tx: EntityManager, { kind, parameters }: DocumentKind) {
  if (kind === "order" && !(await documentSources.order(tx, parameters.id))) throw noOrder();
  if (kind === "waybill" && !(await documentSources.waybill(tx, parameters.id))) throw noWaybill();
}

const noOrder = () => new NotFoundError("Order not found");
const noWaybill = () => new NotFoundError("Waybill not found");
