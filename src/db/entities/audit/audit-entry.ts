import {
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from "typeorm";
import { User } from "../accounts/user.ts";

/** The methods of the log: the front end that shows it breaks on a row with any other. */
export const auditMethods = ["POST", "PUT", "PATCH", "DELETE"] as const;
export type AuditMethod = (typeof auditMethods)[number];

/** One change that a member of staff made or tried to make. */
@Entity("audit_log")
export class AuditEntry {
  @PrimaryGeneratedColumn("uuid")
  id!: string;

  @Column("uuid", { name: "user_id" })
  userId!: string;

  @ManyToOne(() => User)
  @JoinColumn({ name: "user_id" })
  user!: Relation<User>;

  @Column("text")
  method!: AuditMethod;

  /** Full URL as the client sent it. */
  @Column("text")
  endpoint!: string;

  @Column("jsonb", { nullable: true })
  payload!: Record<string, unknown> | null;

  /** HTTP status of the answer. */
  @Column("integer")
  status!: number;

  @Column("text", { name: "request_id" })
  requestId!: string;

  @CreateDateColumn({ name: "created_at", type: "timestamptz" })
  createdAt!: Date;

  @UpdateDateColumn({ name: "updated_at", type: "timestamptz" })
  updatedAt!: Date;
}
