import { documents } from "../../db/dao/documents/documents.ts";
import type { Document } from "../../db/entities/documents/document.ts";
import { finishDocument } from "../../services/documents/documents.ts";
import { contentTypes } from "../../services/documents/kinds/define-kind.ts";
import { kindOf, namesOf, publicKeyOf, sourceOf } from "../../services/documents/kinds/index.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";
import { renderContent } from "../documents/render.ts";
import { type SpooledFile, spool } from "../documents/spool.ts";

type Run = JobRun<"render-document">;

/**
 * Makes the file of a document and stores it under its own hash. Safe to repeat: the same data give the same bytes,
 * hence the same key; newer data give another key, and the row names the committed one. Before the commit no reader
 * sees it: until it is complete, the file is on this machine without a name.
 */
export const renderDocumentProcessor: Processor<"render-document"> = {
  async run(job, context) {
    const document = await documents.findById(context.db.manager, job.payload.documentId);
    if (!document || document.readyAt) return job.complete(async () => ({ skipped: "it is made, or was deleted" }));
    await spool(
      (write) => render(job, context, document, write),
      (file, source) => store(job, context, document, file, source),
    );
  },
};

/** The hash and the moment of the data of a document. */
interface Snapshot {
  sourceHash: string;
  takenAt: Date;
  /** Of a feed. */
  offersWithoutPrice: number | undefined;
}

/** All data from one state of the database; its transaction ends before the file is stored. */
function render(
  { signal, progress }: Run,
  { db, shop }: WorkerContext,
  document: Document,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Snapshot> {
  const kind = kindOf(document);
  return db.transaction("REPEATABLE READ", async (tx) => {
    // Each piece of a long list takes time, and connections of a pool do not end by themselves.
    await tx.query("SET TRANSACTION READ ONLY");
    // The first statement takes the snapshot.
    const [{ takenAt }] = await tx.query('SELECT clock_timestamp() AS "takenAt"');
    const { content: load, hash: sourceHash } = await sourceOf(tx, kind, shop);
    const content = await load();
    for await (const bytes of renderContent(content, kind.format, progress)) {
      signal.throwIfAborted();
      await write(bytes);
    }
    return { sourceHash, takenAt, offersWithoutPrice: "text" in content ? content.offersWithoutPrice : undefined };
  });
}

async function store(
  job: Run,
  context: WorkerContext,
  document: Document,
  { read, bytes, sha256 }: SpooledFile,
  { sourceHash, takenAt, offersWithoutPrice }: Snapshot,
) {
  const { db, store } = context;
  const { signal } = job;
  const kind = kindOf(document);
  const contentType = contentTypes[kind.format];
  const objectKey = `documents/${sha256}/${namesOf(kind).ascii}`;
  await store.put(objectKey, read(), { contentType }, { length: bytes, signal });
  const publicKey = publicKeyOf(kind);
  // The next list of the same day replaces it, so no cache may keep it for long.
  if (publicKey && !(await isOvertaken(db, document, takenAt))) {
    await store.copy(objectKey, publicKey, { contentType, cacheControl: "public, max-age=300" }, { signal });
  }
  await job.complete(async (tx) => {
    await finishDocument(tx, job.id, { objectKey, contentType, bytes, sha256, sourceHash, readyAt: takenAt });
    return {
      ...{ bytes, sha256, ...(publicKey && { url: store.publicUrl(publicKey) }) },
      ...(offersWithoutPrice !== undefined && { offers_without_price: offersWithoutPrice }),
    };
  });
  if (offersWithoutPrice !== undefined) tellWithoutPrice(context, offersWithoutPrice);
}

function tellWithoutPrice({ log, metrics }: WorkerContext, offers: number) {
  metrics.feedOffersWithoutPrice.set(offers);
  if (offers > 0) log.warn({ offers }, "the feed leaves out offers in stock, because they have no price");
}

/** True when a file of the same kind has newer data; its public copy must not be overwritten. */
async function isOvertaken(db: WorkerContext["db"], document: Document, takenAt: Date) {
  const newest = await documents.findReady(db.manager, document);
  return newest?.readyAt ? newest.readyAt > takenAt : false;
}
