import { createReadStream } from "node:fs";
import { documents } from "../../db/dao/documents.ts";
import type { Document } from "../../db/entities/document.ts";
import { contentTypes, namesOf, publicKeyOf } from "../../services/document-kinds.ts";
import { finishDocument, kindOf } from "../../services/documents.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";
import { renderContent } from "../documents/render.ts";
import { type SpooledFile, spool } from "../documents/spool.ts";

/**
 * Makes the file of a document and stores it under its own hash. Safe to repeat: the same data gives the same bytes,
 * hence the same key; newer data another one, and the row names the one that was committed.
 */
export const renderDocumentProcessor: Processor<"render-document"> = {
  async run(job, context) {
    const { manager } = context.db;
    const document = await documents.findById(manager, job.payload.documentId);
    if (!document || document.readyAt) return job.complete(async () => ({ skipped: "it is there, or was deleted" }));
    const content = await renderContent(manager, kindOf(document));
    await spool(content, job.signal, (file) => store(job, context, document, file));
  },
};

async function store(
  job: JobRun<"render-document">,
  { store }: WorkerContext,
  document: Document,
  { path, bytes, sha256 }: SpooledFile,
) {
  const { signal } = job;
  const kind = kindOf(document);
  const contentType = contentTypes[kind.format];
  const objectKey = `documents/${sha256}/${namesOf(kind).ascii}`;
  await store.put(objectKey, createReadStream(path), { contentType }, { length: bytes, signal });
  const publicKey = publicKeyOf(kind);
  // The next list of the same day takes its place, so nobody may keep it for long.
  if (publicKey) {
    await store.copy(objectKey, publicKey, { contentType, cacheControl: "public, max-age=300" }, { signal });
  }
  await job.complete(async (tx) => {
    await finishDocument(tx, document, { objectKey, contentType, bytes, sha256 });
    return { bytes, sha256, ...(publicKey && { url: store.publicUrl(publicKey) }) };
  });
}
