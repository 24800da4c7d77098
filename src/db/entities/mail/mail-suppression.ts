import { Column, CreateDateColumn, Entity, PrimaryColumn } from "typeorm";

/**
 * bounce, complaint: reported by the mail provider; unsubscribed: by the recipient, for bulk mail only; staff: by
 * staff.
 */
export const suppressionReasons = ["bounce", "complaint", "unsubscribed", "staff"] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** An address that gets no mail. */
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
