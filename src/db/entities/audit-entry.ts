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
import { User } from "./user.ts";

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
  method!: string;

  /** Full URL as the client sees it. */
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
