import { type EntityManager, IsNull, Not } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Image, type ImageVariant } from "../../entities/catalogue/image.ts";

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

  /** Shows variants that were made again; false when the picture is not shown any more. */
  async showAnew(tx: EntityManager, id: string, { variants, thumbhash }: Publication) {
    const change = { variants, thumbhash };
    return (await tx.update(Image, { id, publishedAt: Not(IsNull()) }, change)).affected === 1;
  },

  /** Ids of published pictures, in their order, after `after`. */
  async pageOfPublished(tx: EntityManager, after: string, size: number): Promise<string[]> {
    const rows: { id: string }[] = await tx.query(
      "SELECT id FROM images WHERE id > $1 AND published_at IS NOT NULL ORDER BY id LIMIT $2",
      [after, size],
    );
    return rows.map(({ id }) => id);
  },

  async countPublished(tx: EntityManager) {
    return tx.countBy(Image, { publishedAt: Not(IsNull()) });
  },

  /** Shows another picture's variants at this one's address; it stays unpublished, so its job may still publish it. */
  async showInstead(tx: EntityManager, id: string, { variants, thumbhash }: Publication) {
    await tx.update(Image, { id }, { variants, thumbhash });
  },

  /** Records that the staged upload is removed. */
  async forgetStaged(tx: EntityManager, id: string) {
    await tx.update(Image, { id }, { stagedKey: null });
  },
};
