import { type EntityManager, IsNull, Not } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Document } from "../entities/document.ts";

export type NewDocument = Pick<
  Document,
  "id" | "kind" | "format" | "parameters" | "fileName" | "requestedBy" | "sourceHash"
>;

/** A file in the bucket, and the data it was made of. */
export interface StoredFile {
  objectKey: string;
  contentType: string;
  bytes: number;
  sha256: string;
  sourceHash: string | null;
  /** Of when the data are. */
  readyAt: Date;
}

/** Documents of a kind are seen by those who asked for them alone. */
interface Hidden {
  kind: string;
  exceptOf: string;
}

function conditionOf({ requestedBy, hidden }: { requestedBy?: string; hidden?: Hidden }) {
  if (requestedBy !== undefined) return { requestedBy };
  return hidden ? [{ kind: Not(hidden.kind) }, { requestedBy: hidden.exceptOf }] : {};
}

/** Documents that were asked for, with their jobs. */
export const documents = {
  findById: (tx: EntityManager, id: string) => tx.findOne(Document, { where: { id }, relations: { job: true } }),

  /**
   * One page, newest first, and how many there are: of one user or of all, in the latter case perhaps without those of
   * one kind that others have asked for.
   */
  list(
    tx: EntityManager,
    { limit, offset, ...wanted }: { limit: number; offset: number; requestedBy?: string; hidden?: Hidden },
  ) {
    return tx.findAndCount(Document, {
      where: conditionOf(wanted),
      relations: { job: true },
      order: { createdAt: "DESC", id: "DESC" },
      take: limit,
      skip: offset,
    });
  },

  /** A document of the same data that is made or on its way, rather this person's than another's, rather made. */
  findSame(tx: EntityManager, sourceHash: string, requestedBy: string | null) {
    return tx
      .createQueryBuilder(Document, "document")
      .leftJoinAndSelect("document.job", "job")
      .where("document.sourceHash = :sourceHash AND (document.readyAt IS NOT NULL OR job.finishedAt IS NULL)", {
        sourceHash,
      })
      .orderBy("document.requestedBy IS DISTINCT FROM :requestedBy", "ASC")
      .addOrderBy("document.readyAt", "DESC", "NULLS LAST")
      .setParameter("requestedBy", requestedBy)
      .getOne();
  },

  /** How many documents are being made for this user. */
  countUnfinished(tx: EntityManager, requestedBy: string) {
    return tx
      .createQueryBuilder(Document, "document")
      .innerJoin("document.job", "job")
      .where("document.requestedBy = :requestedBy", { requestedBy })
      .andWhere("document.readyAt IS NULL AND job.finishedAt IS NULL")
      .getCount();
  },

  /** All that a job makes, or has made. */
  ofJob: (tx: EntityManager, jobId: string) => tx.findBy(Document, { jobId }),

  /** The file of exactly this kind with the newest data, whoever asked for it. */
  findReady(tx: EntityManager, like: Pick<Document, "kind" | "format" | "parameters">) {
    return tx
      .createQueryBuilder(Document, "document")
      .where("document.readyAt IS NOT NULL")
      .andWhere("document.kind = :kind AND document.format = :format AND document.parameters = :parameters", {
        ...like,
        parameters: JSON.stringify(like.parameters),
      })
      .orderBy("document.readyAt", "DESC")
      .getOne();
  },

  async insert(tx: EntityManager, row: NewDocument) {
    await tx.insert(Document, row as QueryDeepPartialEntity<Document>);
  },

  async attachJob(tx: EntityManager, id: string, jobId: string) {
    await tx.update(Document, { id }, { jobId });
  },

  /** Has whoever asked for a document told when it is made. */
  async setNotify(tx: EntityManager, id: string) {
    await tx.update(Document, { id }, { notify: true });
  },

  /** Gives a document the file of another one, or its job while there is none. */
  async share(tx: EntityManager, id: string, ofId: string) {
    await tx.query(
      `UPDATE documents SET job_id = other.job_id, object_key = other.object_key, content_type = other.content_type,
         bytes = other.bytes, sha256 = other.sha256, ready_at = CASE WHEN other.ready_at IS NOT NULL THEN now() END
       FROM documents other WHERE documents.id = $1 AND other.id = $2`,
      [id, ofId],
    );
  },

  /** Enters the file of all documents that a job makes, once. */
  async complete(tx: EntityManager, jobId: string, file: StoredFile) {
    await tx.update(Document, { jobId, readyAt: IsNull() }, file);
  },

  /** Keeps a file that is gone from being given to anybody else. */
  async forgetFile(tx: EntityManager, objectKey: string) {
    await tx.update(Document, { objectKey }, { sourceHash: null });
  },
};
