import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from "typeorm";
import { Job } from "./job.ts";

/** One message to one recipient; its body is rendered when it is sent, and not kept. */
@Entity("mails")
export class Mail {
  @PrimaryColumn("uuid")
  id!: string;

  @Column("text")
  kind!: string;

  @Column("text")
  recipient!: string;

  @Column("jsonb", { default: {} })
  parameters!: Record<string, unknown>;

  @Column("uuid", { name: "job_id", nullable: true })
  jobId!: string | null;

  @ManyToOne(() => Job)
  @JoinColumn({ name: "job_id" })
  job!: Relation<Job> | null;

  /** What the server said when it took the message. */
  @Column("text", { name: "server_answer", nullable: true })
  serverAnswer!: string | null;

  @Column("timestamptz", { name: "sent_at", nullable: true })
  sentAt!: Date | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;
}
