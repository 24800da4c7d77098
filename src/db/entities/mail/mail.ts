import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from "typeorm";
import { Job } from "../../../engine/index.ts";
import type { Language } from "../accounts/user.ts";

/**
 * queued: not tried yet; sending: it may be on the wire, or was when its worker died; retry: certainly not sent, will
 * be retried; sent: the server has it; failed: it will not be sent; unknown: it may or may not be sent, and a person
 * has to decide; suppressed: its recipient wants no mail, or cannot get any.
 */
export const mailStates = ["queued", "sending", "retry", "sent", "failed", "unknown", "suppressed"] as const;
export type MailState = (typeof mailStates)[number];

/** One message to one recipient; its body is rendered when it is sent, and not kept. */
@Entity("mails")
export class Mail {
  /** Derived from the subject and the recipient of the message, so that two rows of the same are impossible. */
  @PrimaryColumn("uuid")
  id!: string;

  /** SHA-256, in hexadecimal, of the event that this message announces and of its recipient. */
  @Column("text", { name: "send_key" })
  sendKey!: string;

  @Column("text")
  kind!: string;

  @Column("text")
  recipient!: string;

  @Column("text", { default: "ru" })
  language!: Language;

  /** The data of its text. A link that verifies an address (`url`) is a secret, and deleted when the mail is sent. */
  @Column("jsonb", { default: {} })
  parameters!: Record<string, unknown>;

  @Column("text", { default: "queued" })
  state!: MailState;

  @Column("uuid", { name: "job_id", nullable: true })
  jobId!: string | null;

  @ManyToOne(() => Job)
  @JoinColumn({ name: "job_id" })
  job!: Relation<Job> | null;

  /** Epoch of the claim that sent it last. */
  @Column("integer", { default: 0 })
  epoch!: number;

  /** How many SMTP transactions were begun. */
  @Column("integer", { default: 0 })
  tries!: number;

  /** When the last one began. */
  @Column("timestamptz", { name: "sending_at", nullable: true })
  sendingAt!: Date | null;

  /** When it may go out, if that is scheduled; of bulk mail only. */
  @Column("timestamptz", { name: "slot_at", nullable: true })
  slotAt!: Date | null;

  /** Without angle brackets; set by the first attempt, and the same in all. */
  @Column("text", { name: "message_id", nullable: true })
  messageId!: string | null;

  /** Code of the server's last reply. */
  @Column("smallint", { name: "smtp_code", nullable: true })
  smtpCode!: number | null;

  /** The server's last reply, or why nothing was sent. */
  @Column("text", { name: "server_answer", nullable: true })
  serverAnswer!: string | null;

  @Column("timestamptz", { name: "sent_at", nullable: true })
  sentAt!: Date | null;

  /** The mail that this one repeats, and the reason that a person gave. */
  @Column("uuid", { name: "resend_of", nullable: true })
  resendOf!: string | null;

  @Column("text", { name: "resend_reason", nullable: true })
  resendReason!: string | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;
}
