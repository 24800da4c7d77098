import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Image, type ImageVariant } from "../entities/image.ts";

export interface NewImageRow {
  id: string;
  objectKey: string;
  stagedKey: string;
  sourceSha256: string;
  sourceBytes: number;
  replacesId: string | null;
}

export interface Publication {
  variants: ImageVariant[];
  thumbhash: string | null;
}

export const images = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Image, { id }),

  async insert(tx: EntityManager, row: NewImageRow) {
    await tx.insert(Image, row as QueryDeepPartialEntity<Image>);
  },

  async attachJob(tx: EntityManager, id: string, jobId: string) {
    await tx.update(Image, { id }, { jobId });
  },

  /** Shows the picture. */
  async publish(tx: EntityManager, id: string, { variants, thumbhash }: Publication) {
    await tx.update(Image, { id }, { variants, thumbhash, publishedAt: () => "now()" });
  },

  /** Shows another picture's variants at this one's address; it stays unpublished, so its job may still mend it. */
  async showInstead(tx: EntityManager, id: string, { variants, thumbhash }: Publication) {
    await tx.update(Image, { id }, { variants, thumbhash });
  },

  /** Notes that the staged upload has been removed. */
  async forgetStaged(tx: EntityManager, id: string) {
    await tx.update(Image, { id }, { stagedKey: null });
  },
};
