import { z } from "zod";
import type { Document } from "../../db/entities/documents/document.ts";
import { kindOf, publicKeyOf } from "../../services/documents/kinds/index.ts";
import { timestamp } from "../http/fields.ts";
import type { ApiContext } from "../http/types.ts";
import { JobLink, jobLink } from "./job.ts";

/** A requested document. */
export const DocumentView = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    format: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    file_name: z.string(),
    content_type: z.string().nullable(),
    bytes: z.int().nullable(),
    sha256: z.string().nullable(),
    download_url: z.url().nullable().meta({ description: "Address of the file; null until it is ready" }),
    public_url: z.url().nullable().meta({ description: "Public address; only for the wholesale list" }),
    job: JobLink.nullable(),
    created_at: timestamp,
    ready_at: timestamp.nullable(),
  })
  .meta({ id: "Document" });
export type DocumentBody = z.output<typeof DocumentView>;

/** A document with its job and, once it is made, its address. */
export function documentView(document: Document, { publicUrl, store }: ApiContext): DocumentBody {
  const { readyAt, job } = document;
  const publicKey = publicKeyOf(kindOf(document));
  return {
    id: document.id,
    kind: document.kind,
    format: document.format,
    parameters: document.parameters,
    file_name: document.fileName,
    content_type: document.contentType,
    bytes: document.bytes,
    sha256: document.sha256,
    download_url: readyAt && `${publicUrl}/documents/${document.id}/download`,
    public_url: readyAt && publicKey && store.publicUrl(publicKey),
    job: job && jobLink(job, publicUrl),
    created_at: document.createdAt.toISOString(),
    ready_at: readyAt?.toISOString() ?? null,
  };
}
