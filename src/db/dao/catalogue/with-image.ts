import type { EntityManager, EntityTarget, FindOptionsWhere } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import type { Image } from "../../entities/catalogue/image.ts";

interface WithImage {
  id: string;
  imageId: string | null;
  image: Image | null;
}

/** Queries of all entities with a picture; a missing row is `null` or `false`, never an error. */
export function withImageDao<E extends WithImage>(entity: EntityTarget<E>) {
  const byId = (id: string) => ({ id }) as FindOptionsWhere<E>;
  return {
    /** The row with its picture and the picture's job; one statement, so that the three are consistent. */
    findById: (tx: EntityManager, id: string) => withJob(tx, entity).where("row.id = :id", { id }).getOne(),

    findBySlug: (tx: EntityManager, slug: string) => withJob(tx, entity).where("row.slug = :slug", { slug }).getOne(),

    /** Locks the row until the transaction ends: of two changes the later one sees the earlier. */
    lock: (tx: EntityManager, id: string) =>
      tx.findOne(entity, { where: byId(id), lock: { mode: "pessimistic_write" } }),

    async insert(tx: EntityManager, values: QueryDeepPartialEntity<E>) {
      const { identifiers } = await tx.insert(entity, values);
      return String(identifiers[0]?.id);
    },

    async patch(tx: EntityManager, id: string, change: QueryDeepPartialEntity<E>) {
      return (await tx.update(entity, byId(id), change)).affected === 1;
    },

    /** Marks the rows that show a picture as changed. */
    async touchShowing(tx: EntityManager, imageId: string) {
      const shows = { imageId } as unknown as FindOptionsWhere<E>;
      await tx.update(entity, shows, { updatedAt: () => "now()" } as unknown as QueryDeepPartialEntity<E>);
    },

    /** Marks the row as changed, because its picture has changed. */
    async touch(tx: EntityManager, id: string) {
      await tx.update(entity, byId(id), { updatedAt: () => "now()" } as unknown as QueryDeepPartialEntity<E>);
    },
  };
}

/** The row with its picture. */
export function withImage<E extends WithImage>(tx: EntityManager, entity: EntityTarget<E>) {
  return tx.createQueryBuilder(entity, "row").leftJoinAndSelect("row.image", "image");
}

/** As `withImage`, with the job that makes or made the picture. */
export function withJob<E extends WithImage>(tx: EntityManager, entity: EntityTarget<E>) {
  return withImage(tx, entity).leftJoinAndSelect("image.job", "job");
}
