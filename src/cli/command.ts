import type { ParseArgsConfig } from "node:util";
import type { EntityManager } from "typeorm";
import type { TransactionContext } from "../engine/index.ts";
import type { ScalingRules } from "../jobs/scaling.ts";
import type { MailerOptions } from "../platform/mailer.ts";
import type { S3Options } from "../platform/object-store.ts";
import type { CardSettings } from "../platform/payments/create-card-provider.ts";
import type { RedisAddress } from "../platform/redis.ts";

/** The access of `tcf` to all parts of an installation. */
export interface Installation {
  redis: { broker: RedisAddress; cache: RedisAddress };
  queuePrefix: string;
  scaling: ScalingRules;
  s3: S3Options;
  /** Undefined where no mail server is configured. */
  smtp: MailerOptions | undefined;
  /** Undefined where cards are not charged. */
  cards: CardSettings;
}

/** A way to the database: `isPooled` where it goes through a pooler in transaction mode. */
export interface DatabaseAccess {
  url: string;
  isPooled: boolean;
}

export interface CommandContext {
  /**
   * Without an actor, unless a context names one. Throws `StartUpError` when the variable is missing or Postgres cannot
   * be used.
   */
  transact<T>(work: (tx: EntityManager) => Promise<T>, transactionContext?: TransactionContext): Promise<T>;
  /** Throws `StartUpError` that lists every missing variable. */
  installation(): Installation;
  /** The database for statements that take longer than a request may, and for migrations. */
  database(): DatabaseAccess;
  /** The calling account and its machine, for reasons that others read. */
  caller: string;
  /** E-mail addresses, in lower case, of employees who may control jobs. */
  operators(): readonly string[];
  /** Where tokens of demo users are, if the installation has them. */
  demoTokensUrl(): string | undefined;
}

export interface Answer {
  /** The output of `--json`. */
  data: unknown;
  /** The output for people. */
  text: string;
  /** The command has found a problem. */
  isBad?: boolean;
}

export type Options = NonNullable<ParseArgsConfig["options"]>;
/** The values of a command's options. */
export type Values = Record<string, string | boolean | undefined>;

export interface Command {
  /** Arguments after the name of the command, as the help shows them. */
  usage: string;
  about: string;
  /** The number of its arguments. */
  takes: number;
  options?: Options;
  run(context: CommandContext, args: readonly string[], values: Values): Promise<Answer>;
}

/** Thrown for a wrong call; the message says how to call it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const text = (value: string | boolean | undefined) => (typeof value === "string" ? value : undefined);

/** A whole number between these; throws `UsageError`. */
export function whole(name: string, given: string | undefined, fallback: number, min: number, max: number): number {
  if (given === undefined) return fallback;
  const value = Number(given);
  if (/^\d{1,9}$/.test(given) && value >= min && value <= max) return value;
  throw new UsageError(`${name} is '${given}'; it has to be a whole number from ${min} to ${max}`);
}

/** Rows below their headings, in columns as wide as needed. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}
