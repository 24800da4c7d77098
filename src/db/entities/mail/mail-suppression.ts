import { Column, CreateDateColumn, Entity, PrimaryColumn } from "typeorm";

/** bounce, complaint: the mail provider said so; unsubscribed: the recipient, of bulk mail alone; staff: one of us. */
export const suppressionReasons = ["bounce", "complaint", "unsubscribed", "staff"] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** An address that mail is not sent to. */
@Entity("mail_suppressions")
export class MailSuppression {
  /** In lower case. */
  @PrimaryColumn("text")
  address!: string;

  @Column("text")
  reason!: SuppressionReason;

  @Column("text", { nullable: true })
  detail!: string | null;

  @Column("uuid", { name: "created_by", nullable: true })
  createdBy!: string | null;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;
}
