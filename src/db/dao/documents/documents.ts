import { type EntityManager, IsNull, type SelectQueryBuilder } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import type { Role } from "../../entities/accounts/user.ts";
import { Document } from "../../entities/documents/document.ts";

export type NewDocument = Pick<
  Document,
  "id" | "kind" | "format" | "parameters" | "fileName" | "requestedBy" | "sourceHash"
>;

/** A file in the bucket, and the data it was made from. */
export interface StoredFile {
  objectKey: string;
  contentType: string;
  bytes: number;
  sha256: string;
  sourceHash: string | null;
  /** The moment of the data. */
  readyAt: Date;
}

/** For each source, SQL of whether the row `source.id` is the customer's. */
const ownSql = {
  order: (id: string) => `SELECT 1 FROM orders source WHERE source.id = ${id} AND source.user_id = :userId`,
  waybill: (id: string) =>
    `SELECT 1 FROM waybills source WHERE source.id = ${id} AND :userId IN (source.customer_id, source.author_id)`,
};
export type OwnedTable = keyof typeof ownSql;

/** The reader of documents. */
export interface Onlooker {
  userId: string;
  role: Role;
  /** The kinds that customers may read, and the source of each. */
  kinds: readonly { kind: string; about: OwnedTable }[];
  /** The kind with personal data: admins see all, others only those about themselves. */
  personalData: string;
}

/**
 * Restricts a query to what a reader may see, for one document and for lists. A member of staff who becomes a customer
 * loses what they ordered as staff, and a former admin loses exports of personal data.
 */
function seenBy(query: SelectQueryBuilder<Document>, { userId, role, kinds, personalData }: Onlooker) {
  if (role === "ADMIN") return query;
  const own = `document.requested_by = :userId AND document.kind = :personalData
    AND document.parameters->>'userId' = CAST(:userId AS text) AND document.parameters->>'withGuestOrders' = 'false'`;
  const ofKinds = kinds.map(({ about }, n) => {
    // The kind is checked first: the id of another kind may not be a UUID.
    const id = `CASE WHEN document.kind = :kind${n} THEN CAST(document.parameters->>'id' AS uuid) END`;
    return `document.requested_by = :userId AND EXISTS (${ownSql[about](id)})`;
  });
  const others = role === "USER" ? ofKinds : ["document.kind <> :personalData"];
  return query
    .andWhere(`(${[own, ...others].map((one) => `(${one})`).join(" OR ")})`)
    .setParameters({ userId, personalData, ...Object.fromEntries(kinds.map(({ kind }, n) => [`kind${n}`, kind])) });
}

const withJobs = (tx: EntityManager) =>
  tx.createQueryBuilder(Document, "document").leftJoinAndSelect("document.job", "job");

/** Requested documents, with their jobs. */
export const documents = {
  findById: (tx: EntityManager, id: string) => tx.findOne(Document, { where: { id }, relations: { job: true } }),

  /** A document that this reader may see. */
  findSeen: (tx: EntityManager, id: string, by: Onlooker) =>
    seenBy(withJobs(tx).where("document.id = :id", { id }), by).getOne(),

  /** One page of what this reader may see, newest first, and the total. */
  list: (tx: EntityManager, { limit, offset, by }: { limit: number; offset: number; by: Onlooker }) =>
    seenBy(withJobs(tx), by)
      .orderBy("document.createdAt", "DESC")
      .addOrderBy("document.id", "DESC")
      .take(limit)
      .skip(offset)
      .getManyAndCount(),

  /** Whether the source exists and is this customer's. */
  async isOwnSource(tx: EntityManager, about: OwnedTable, id: string, userId: string): Promise<boolean> {
    const sql = ownSql[about]("$1").replaceAll(":userId", "$2");
    return (await tx.query(sql, [id, userId])).length > 0;
  },

  /** A document of the same data that is made or being made; prefers this user's, then a finished one. */
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

  /** All documents that a job makes, or has made. */
  ofJob: (tx: EntityManager, jobId: string) => tx.findBy(Document, { jobId }),

  /** The file of exactly this kind with the newest data, whatever user requested it. */
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

  /** Marks a document so that its requester gets a mail when it is made. */
  async setNotify(tx: EntityManager, id: string) {
    await tx.update(Document, { id }, { notify: true });
  },

  /** Gives a document the file of another one, or its job while there is no file. */
  async share(tx: EntityManager, id: string, ofId: string) {
    await tx.query(
      `UPDATE documents SET job_id = other.job_id, object_key = other.object_key, content_type = other.content_type,
         bytes = other.bytes, sha256 = other.sha256, ready_at = CASE WHEN other.ready_at IS NOT NULL THEN now() END
       FROM documents other WHERE documents.id = $1 AND other.id = $2`,
      [id, ofId],
    );
  },

  /** Records the file of all documents that a job makes, once. */
  async complete(tx: EntityManager, jobId: string, file: StoredFile) {
    await tx.update(Document, { jobId, readyAt: IsNull() }, file);
  },

  /** Keeps a missing file from being given to another request. */
  async forgetFile(tx: EntityManager, objectKey: string) {
    await tx.update(Document, { objectKey }, { sourceHash: null });
  },
};
