import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from "typeorm";
import { Job } from "../../../engine/index.ts";

/** One published rendition of an upload; `key` names the object in the bucket. */
export interface ImageVariant {
  key: string;
  width: number;
  height: number;
  bytes: number;
  type: string;
}

/** One upload. An entity points at its newest one, so that the job of an older upload can finish late without harm. */
@Entity("images")
export class Image {
  @PrimaryColumn("uuid")
  id!: string;

  /** The object behind `image_url`: a placeholder first, overwritten once by the picture. */
  @Column("text", { name: "object_key" })
  objectKey!: string;

  /** The untouched upload, until it is processed and removed. */
  @Column("text", { name: "staged_key", nullable: true })
  stagedKey!: string | null;

  @Column("text", { name: "source_sha256" })
  sourceSha256!: string;

  @Column("integer", { name: "source_bytes" })
  sourceBytes!: number;

  @Column("jsonb", { default: [] })
  variants!: ImageVariant[];

  /** Base64 of a 25-byte-or-so blurred preview (https://evanw.github.io/thumbhash/). */
  @Column("text", { nullable: true })
  thumbhash!: string | null;

  /** The picture that this one replaced; shown again if this one turns out unusable. */
  @Column("uuid", { name: "replaces_id", nullable: true })
  replacesId!: string | null;

  @Column("uuid", { name: "job_id", nullable: true })
  jobId!: string | null;

  @ManyToOne(() => Job)
  @JoinColumn({ name: "job_id" })
  job!: Relation<Job> | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @Column("timestamptz", { name: "published_at", nullable: true })
  publishedAt!: Date | null;
}
