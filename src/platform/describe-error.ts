import { redact } from "./redact.ts";
import { adviceOnRedis } from "./redis-errors.ts";

/** What the ledger keeps of an error; Redis keeps only its message. */
export interface DescribedError {
  name: string;
  message: string;
  /** ISO 8601. */
  at: string;
}

/** How many characters of a message are read, and how many are kept. */
const maxLength = { read: 2_000, kept: 1_000 };

/**
 * An error for readers who need not know whom it is about: its name and a sentence without stack, quoted values,
 * addresses, telephone numbers and passwords. Ids, numbers and network addresses in quotes stay. The ledger, Redis, the
 * board and the log get no other text of an error; the mail or endpoint that it is about keeps its own record of it.
 */
export function describeError(error: unknown): DescribedError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message: sentenceOf(error, message).slice(0, maxLength.kept), at: new Date().toISOString() };
}

/**
 * An error as a line of the log shows it: as `describeError`, with where it was thrown, what a programmer needs of
 * Postgres, S3 or SMTP, and its causes. Any other property may hold a client's data, and stays out.
 */
export function errorLine(error: unknown, depth = 0): Record<string, unknown> {
  const { name, message } = describeError(error);
  if (!(error instanceof Error)) return { type: name, message };
  const { code, constraint, table, responseCode, query, $metadata, stack, cause } = error as ErrorFields;
  const shown = {
    type: name,
    message,
    code: codeOf(code),
    constraint,
    table,
    reply: responseCode,
    status: $metadata?.httpStatusCode,
    // Values are parameters of a statement, never in its text.
    advice: adviceOnRedis(error),
    query: typeof query === "string" ? query.slice(0, maxLength.kept) : undefined,
    stack: framesOf(stack),
    cause: cause === undefined || depth > 3 ? undefined : errorLine(cause, depth + 1),
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}

interface ErrorFields extends Error {
  code?: unknown;
  constraint?: string;
  table?: string;
  responseCode?: number;
  query?: unknown;
  $metadata?: { httpStatusCode?: number };
}

/** An error code for programs, such as `23505` or `ECONNREFUSED`. */
const codeOf = (code: unknown) => (/^[\w.-]{1,60}$/.test(String(code)) ? code : undefined);

/** The stack repeats all lines of the message. */
const framesOf = (stack = "") =>
  stack
    .split("\n")
    .filter((line) => /^ {4}at /.test(line))
    .join("\n") || undefined;

function sentenceOf(error: unknown, message: string) {
  const { issues, $metadata } = error as { issues?: unknown; $metadata?: { httpStatusCode?: number } };
  if (Array.isArray(issues)) return `Values are wrong: ${issues.map(issueOf).join(", ")}`;
  // The text of S3's errors differs by server and contains names of files.
  if ($metadata !== undefined) return `The object store answered ${$metadata.httpStatusCode ?? "nothing"}`;
  return withoutValues(message.slice(0, maxLength.read).replaceAll(userInUrl, "://***@"));
}

/** Of a Zod issue: where it is, and which kind. */
const issueOf = ({ path, code }: { path?: unknown[]; code?: string }) => `${path?.join(".") || "all"} (${code})`;

const userInUrl = /:\/\/[^\s/]*@/g;
/** A UUID, also as a Message-ID, a number, an address of a network, and the property of a TypeError. */
const harmless =
  /'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:@[\w.-]{1,100})?|-?\d{1,9}|[\d.]{7,15}(?:\/\d{1,2})?)'|(?<=\((?:reading|setting) )'(\w+)'/gi;

const opening = /(?<![\p{L}\d])['"«“„`]/u;
const closing = /['"»”“`](?![\p{L}\d])/gu;

/** Removes everything from the first quote to the last one: a quoted value may contain quotes itself. */
function withoutValues(message: string) {
  const kept: string[] = [];
  const text = message.replace(/[‹›]/g, "").replace(harmless, (quoted) => `‹${kept.push(quoted) - 1}›`);
  const first = text.search(opening);
  const last = [...text.matchAll(closing)].at(-1)?.index ?? -1;
  const shown = first < 0 || last <= first ? text : `${text.slice(0, first)}<value>${text.slice(last + 1)}`;
  return redact(shown).replace(/‹(\d+)›/g, (_all, index) => kept[Number(index)] ?? "");
}
