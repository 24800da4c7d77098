import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from "typeorm";
import { Job } from "../../../engine/index.ts";

/** A requested file; `src/services/documents/kinds` lists the kinds. */
@Entity("documents")
export class Document {
  @PrimaryColumn("uuid")
  id!: string;

  @Column("text")
  kind!: string;

  @Column("text")
  format!: string;

  @Column("jsonb", { default: {} })
  parameters!: Record<string, unknown>;

  @Column("text", { name: "file_name" })
  fileName!: string;

  /** Hash of its data: the same hash, the same file. */
  @Column("text", { name: "source_hash", nullable: true })
  sourceHash!: string | null;

  /** Set when the file is in the bucket. */
  @Column("text", { name: "object_key", nullable: true })
  objectKey!: string | null;

  @Column("text", { name: "content_type", nullable: true })
  contentType!: string | null;

  @Column("integer", { nullable: true })
  bytes!: number | null;

  @Column("text", { nullable: true })
  sha256!: string | null;

  @Column("uuid", { name: "job_id", nullable: true })
  jobId!: string | null;

  @ManyToOne(() => Job)
  @JoinColumn({ name: "job_id" })
  job!: Relation<Job> | null;

  @Column("uuid", { name: "requested_by", nullable: true })
  requestedBy!: string | null;

  /** Its requester gets a mail when it is made. */
  @Column("boolean", { default: false })
  notify!: boolean;

  /** Set when its file is in the bucket: the moment of the data, so that an outdated file does not count as newer. */
  @Column("timestamptz", { name: "ready_at", nullable: true })
  readyAt!: Date | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;
}
