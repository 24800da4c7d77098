import type { DataSource, EntityManager } from "typeorm";
import { documents } from "../../../db/dao/documents/documents.ts";
import type { Document } from "../../../db/entities/documents/document.ts";
import { NotFoundError, UnavailableError } from "../../../errors.ts";
import { MissingObjectError } from "../../../platform/object-store.ts";
import { type DocumentRequest, requestDocument } from "../../../services/documents/documents.ts";
import { kindOf, namesOf } from "../../../services/documents/kinds/index.ts";
import { patience } from "../../http/preferences.ts";
import type { ApiContext, Input, Result } from "../../http/types.ts";
import { awaitJob } from "../operations/await-job.ts";

/** How long a route waits for a document unless `Prefer` says otherwise (contract 5). */
const typicalSeconds = 25;

type Call = Pick<Input<"optional", never, never, never>, "commit" | "reader" | "headers" | "aborted">;
type Reader = Pick<Input<"optional", never, never, never>, "client">;

interface MadeDocument {
  /** Its present state: `readyAt` is set if it was made in time. */
  document: Document;
  headers: Record<string, string>;
}

/**
 * Orders a document and waits for it, as long as the caller wants. `before` runs first in the same transaction and may
 * throw a refusal. Throws `UnavailableError` when the document could not be made.
 */
export async function makeDocument(
  { db, shop }: ApiContext,
  { commit, reader, headers, aborted }: Call,
  request: DocumentRequest,
  before: (tx: EntityManager) => Promise<void> = async () => {},
): Promise<MadeDocument> {
  // A repetition under the same Idempotency-Key finds the same document, and waits for it again.
  const promised = await commit(async (tx) => {
    await before(tx);
    const { id, jobId } = await requestDocument(tx, request, shop);
    return { status: 202, body: { id, jobId } };
  });
  const { id, jobId } = promised.body as { id: string; jobId: string | null };
  if (jobId) await awaitJob(db, jobId, patience(headers.prefer, typicalSeconds), aborted);
  const document = await documents.findById(reader, id);
  if (!document) throw new NotFoundError("Document not found");
  if (!document.readyAt && document.job?.state === "failed") throw failed(document);
  return { document, headers: { ...promised.headers } };
}

/** The file of a document that is made, as a download named `names`. Throws when the client reads too many. */
export async function sendDocument(
  { db, store }: ApiContext,
  { client }: Reader,
  document: Document,
  names = namesOf(kindOf(document)),
) {
  const stream = await unlessGone(db, document, () => store.read(String(document.objectKey), { client }));
  const headers = { ...headersOf(document), "content-disposition": attachment(names.shown, names.ascii) };
  return { status: 200, headers, stream } satisfies Result;
}

/** Time limit for S3 to return all of a file that is kept in memory. */
const loadMs = 30_000;

/** The file of a feed that is made: from memory, since any client may read it and would hold a connection to S3. */
export async function sendFeed({ db, store, keptFeed }: ApiContext, { client }: Reader, document: Document) {
  const key = String(document.objectKey);
  const version = { sha256: String(document.sha256), bytes: Number(document.bytes) };
  const load = () => loadWithin(loadMs, (signal) => store.get(key, { signal }));
  const stream = await unlessGone(db, document, () =>
    keptFeed.fits(version) ? keptFeed.open(version, load) : store.read(key, { isPublic: true, client }),
  );
  return { status: 200, headers: headersOf(document), stream } satisfies Result;
}

async function loadWithin<T>(ms: number, load: (signal: AbortSignal) => Promise<T>) {
  const signal = AbortSignal.timeout(ms);
  try {
    return await load(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new UnavailableError("The object store is too slow; try again in a moment", { cause: error });
  }
}

const headersOf = ({ contentType, bytes }: Document) => ({
  "content-type": String(contentType),
  "content-length": String(bytes),
});

/** How long a link to a file works: enough for a person to click, or for a program to follow it. */
const linkSeconds = 300;

/** An address of the file of a document, which works for some minutes without a login. */
export async function linkToDocument({ db, store }: ApiContext, document: Document): Promise<string> {
  const { shown, ascii } = namesOf(kindOf(document));
  const key = String(document.objectKey);
  await unlessGone(db, document, () => store.get(key, { length: 1 }));
  return store.signedUrl(key, { disposition: attachment(shown, ascii), seconds: linkSeconds });
}

/** Throws `NotFoundError` when the file is not in the bucket any more; the next order of it makes a new one. */
async function unlessGone<T>(db: DataSource, { objectKey }: Document, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MissingObjectError)) throw error;
    await documents.forgetFile(db.manager, String(objectKey));
    throw new NotFoundError("The file has expired; order the document again");
  }
}

function failed({ jobId }: Document) {
  return new UnavailableError(`The document could not be made; job '${jobId}' says why`);
}

/** A Content-Disposition with a file's name, and an ASCII one for programs that accept no other (RFC 6266). */
export function attachment(name: string, ascii: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `attachment; filename="${ascii.replace(/[^\w. -]/g, "_")}"; filename*=UTF-8''${encoded}`;
}
