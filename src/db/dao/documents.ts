import { type EntityManager, IsNull } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Document } from "../entities/document.ts";

export type NewDocument = Pick<Document, "id" | "kind" | "format" | "parameters" | "fileName" | "requestedBy">;

/** A file in the bucket. */
export interface StoredFile {
  objectKey: string;
  contentType: string;
  bytes: number;
  sha256: string;
}

/** Documents that were asked for, with their jobs. */
export const documents = {
  findById: (tx: EntityManager, id: string) => tx.findOne(Document, { where: { id }, relations: { job: true } }),

  /** One page, newest first, and how many there are; of one user or of all. */
  list(tx: EntityManager, { requestedBy, limit, offset }: { requestedBy?: string; limit: number; offset: number }) {
    return tx.findAndCount(Document, {
      where: requestedBy === undefined ? {} : { requestedBy },
      relations: { job: true },
      order: { createdAt: "DESC", id: "DESC" },
      take: limit,
      skip: offset,
    });
  },

  /** The same document for the same person, while it is still being made. */
  findUnfinished(tx: EntityManager, like: Pick<Document, "kind" | "format" | "parameters" | "requestedBy">) {
    return tx
      .createQueryBuilder(Document, "document")
      .innerJoinAndSelect("document.job", "job")
      .where("document.readyAt IS NULL AND job.finishedAt IS NULL")
      .andWhere("document.kind = :kind AND document.format = :format AND document.parameters = :parameters", {
        ...like,
        parameters: JSON.stringify(like.parameters),
      })
      .andWhere("document.requestedBy IS NOT DISTINCT FROM :requestedBy", { requestedBy: like.requestedBy })
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

  /** The newest file of exactly this kind, whoever asked for it. */
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

  /** Enters the file of a document, once. */
  async complete(tx: EntityManager, id: string, file: StoredFile) {
    await tx.update(Document, { id, readyAt: IsNull() }, { ...file, readyAt: () => "now()" });
  },
};
