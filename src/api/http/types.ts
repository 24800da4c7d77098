import type { IncomingMessage, ServerResponse } from "node:http";
import type { Webhook } from "standardwebhooks";
import type { DataSource, EntityManager } from "typeorm";
import type { z } from "zod";
import type { Role } from "../../db/entities/accounts/user.ts";
import type { Transact, TransactionContext } from "../../engine/index.ts";
import type { JobName } from "../../jobs/index.ts";
import type { Cache, CachedBody } from "../../platform/cache.ts";
import type { KeptFile } from "../../platform/kept-file.ts";
import type { Log } from "../../platform/logger.ts";
import type { MailLinks } from "../../platform/mail-links.ts";
import type { Metrics } from "../../platform/metrics.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import type { OutboundRules } from "../../platform/outbound-url.ts";
import type { CardCheckout } from "../../platform/payments/card-provider.ts";
import type { RateLimits } from "../../platform/rate-limits.ts";
import type { StagedImage } from "../../services/catalogue/images.ts";
import type { Shop } from "../../services/documents/kinds/define-kind.ts";
import type { Act } from "../../services/operations/job-rights.ts";

// What the parts of `http` and the routes have in common: callers, routes, requests, answers.

/**
 * Who may call a route. `public`: every client, tokens are ignored; `optional`: every client, and a token that is sent
 * has to be valid; a role: that one or a higher one; `api-key`: programs that have the key; `webhook`: the identity
 * provider; `print`: EMPLOYEE, or every client in the networks that the configuration names.
 */
export type Access = "public" | "optional" | Role | "api-key" | "webhook" | "print";

/** The caller as the handler of a route sees it. */
export type ActorOf<A extends Access> = A extends Role
  ? Actor
  : A extends "optional" | "print"
    ? Actor | undefined
    : undefined;

/** Who sends a request. */
export interface Actor {
  id: string;
  role: Role;
  /** When the token ends, in milliseconds of Unix time; absent where there is none. */
  expiresAt?: number;
  /** True: the token says that its e-mail is not proved, so no right comes from an address. */
  isEmailUnproved?: boolean;
}

type Shape = z.ZodObject;

/** The two representations of one API (contract 1.16). */
export type Profile = "shop" | "warehouse";

export interface ImageField {
  field: string;
  required: boolean;
  /** Folder under `images/` for the picture. */
  folder: string;
}

export interface Route<
  A extends Access = Access,
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends z.ZodType = z.ZodType,
> {
  method: "get" | "post" | "patch" | "put" | "delete";
  /** As in OpenAPI: `/categories/{category_id}`. */
  path: string;
  summary: string;
  /** What the summary has no room for; Markdown. */
  description?: string;
  tag: string;
  access: A;
  /** What a call does by the table of rights to jobs of this kind, or to a queue; asked besides `access`. */
  act?: { act: Act; kind?: JobName };
  params?: P;
  query?: Q;
  body?: B;
  /** How the body may be sent; JSON alone when absent. A form is multipart or urlencoded. */
  accepts?: readonly ("json" | "form")[];
  /** The one picture that a form may carry. */
  image?: ImageField;
  /** The body is handed over as bytes in `input.bytes`, because its signature covers them. */
  raw?: boolean;
  /** The body names people: the audit log keeps nothing of it. */
  isBodyPrivate?: boolean;
  /** An Idempotency-Key is honoured; the handler has to do its work through `input.commit`. */
  idempotent?: boolean;
  /**
   * Throws what configuration, path and headers alone tell: switched off, not signed at all. It is asked before any of
   * the body is read.
   */
  refuse?: (context: ApiContext, asked: Pick<Input<A, P, Q, B>, "params" | "headers">) => void;
  /**
   * It may keep its caller waiting: `input.aborted` and `input.wait` are there, and the caller's right is looked at
   * again. A route with a picture always may.
   */
  waits?: boolean;
  /** Counted against a stricter limit besides the usual one. */
  limit?: "orders";
  /** `public`: answers are the same for everybody and may be kept, if they are asked about again. */
  cache?: "public";
  /** Answers by status; a schema, or the media type of what is no JSON. */
  responses: Record<number, z.ZodType | FileResponse>;
  handle: (context: ApiContext, input: Input<A, P, Q, B>) => Promise<Result>;
}

/** An answer that is a file or a text. */
export interface FileResponse {
  mediaTypes: readonly string[];
}

export interface Result {
  status: number;
  body?: unknown;
  /** Instead of `body`: an answer from the cache, with its ETag. */
  cached?: CachedBody;
  /** Instead of `body`: an answer in pieces; `headers` has to name its content-type. */
  stream?: AsyncIterable<string | Uint8Array>;
  /** Offers the answer as a file under this name. */
  fileName?: string;
  headers?: Record<string, string>;
}

export interface Input<A extends Access, P extends Shape, Q extends Shape, B extends z.ZodType> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
  /** The body as it came; only of a route that says `raw`. */
  bytes: Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  image: StagedImage | undefined;
  actor: ActorOf<A>;
  /** Whose use is counted together: a user's id, or without a login the address; undefined for exempt networks. */
  client: string | undefined;
  profile: Profile;
  /** What to read with. */
  reader: EntityManager;
  /** Changes things in one transaction, and keeps the answer for a repetition of the request; see `commit.ts`. */
  commit: Commit;
  /** For transactions of its own: on whose behalf, under which request id. */
  txContext: TransactionContext;
  /**
   * How long the caller would like to wait for a job's result; undefined when the header says nothing. Of routes that
   * say `waits`.
   */
  wait: Wait | undefined;
  /**
   * Fires when the caller has left, the process stops, or the caller has lost the right; then its reason is the
   * refusal. Only for routes with `waits`; throws for others.
   */
  aborted: AbortSignal;
}

export interface Wait {
  seconds: number;
  /** As `aborted`. */
  signal: AbortSignal;
}

/**
 * Runs `work` in one transaction. What it returns is the answer; with an Idempotency-Key it is stored in that very
 * transaction, so that a repetition gets the same answer and does nothing, however the first one ended. `work` may run
 * several times, each but the last one rolled back.
 */
export type Commit = (work: (tx: EntityManager) => Promise<Result>) => Promise<Result>;

/**
 * Public answers as ready bytes, by their address. Most requests ask for one of a few lists; sent from here they cost
 * a sixth of the way through Express (docs/benchmarks.md). An answer is good as long as the cache calls it fresh.
 */
export interface ResponseCache {
  /** Answers a request when that can be done from memory; false: nothing was sent, and Express has to. */
  serve(context: ApiContext, req: IncomingMessage, res: ServerResponse): boolean;
  /** Keeps an answer that is about to be sent, when it is the same for everybody. */
  keep(
    context: ApiContext,
    req: IncomingMessage & { originalUrl: string },
    res: ServerResponse,
    route: Route,
    result: Result,
  ): void;
}

/** The right of one caller for as long as he waits. */
export interface WatchedRight {
  /** Fires when the caller has lost the right; its reason is an `AppError`. */
  lost: AbortSignal;
  /** Ends the watch; call it when the wait is over. */
  stop(): void;
}

export interface RightWatch {
  /**
   * Watches an authenticated caller until the token expires, the user is deactivated or deleted, or the role changes.
   */
  watch(actor: Actor): WatchedRight;
  /** How many callers are watched. */
  count(): number;
}

/** Checks secrets that programs and pages send; takes the same time for every wrong one. */
export interface Secrets {
  isApiKey(given: string): boolean;
  isWebhookSecret(given: string): boolean;
  /**
   * The token that the board's pages send back in this session: 43 characters that other sessions' tokens do not
   * reveal.
   */
  csrfToken(session: string): string;
  isCsrfToken(given: string, session: string): boolean;
}

/** All requests of a caller, counted in each process by itself. */
export const requestLimits = ["anonymous", "user", "api-key"] as const;
/**
 * What has to hold over all processes: wrong and expired credentials by address, orders by customer or address, uploads
 * by user.
 */
export const actionLimits = ["credentials", "expired", "orders", "uploads"] as const;

export type ApiLimits = RateLimits<(typeof requestLimits)[number], (typeof actionLimits)[number]>;

/** What a route may use. `main.ts` builds it once; tests build their own. */
export interface ApiContext {
  db: DataSource;
  transact: Transact;
  store: ObjectStore;
  /** The newest feed, which clients may read at any speed. */
  keptFeed: KeptFile;
  /** What is on documents besides data. */
  shop: Shop;
  cache: Cache;
  log: Log;
  metrics: Metrics;
  /** The user of an `Authorization` header; throws `UnauthorizedError` with the sentences of contract 2.1. */
  authenticate: (authorization: string | undefined) => Promise<Actor>;
  /** Looks again at callers who wait for long. */
  rights: RightWatch;
  /** E-mail addresses, in small letters, of employees who may steer jobs, whichever way they come. */
  operators: readonly string[];
  secrets: Secrets;
  limits: ApiLimits;
  /** Answers that can be sent from memory. */
  answers: ResponseCache;
  /** The card provider; undefined when there is none. */
  cards: CardCheckout | undefined;
  /** Links in mails; undefined: none are made, so none are good. */
  mailLinks: MailLinks | undefined;
  /** Mails that strangers may have sent to one mailbox on a day, by kind of act; 0: no limit. */
  unprovedMailsPerDay: number;
  /** Checks what the mail provider says; undefined: nothing is taken. */
  mailWebhook: Webhook | undefined;
  /** True for an address that is not counted by: a server of our own front ends, which sends for everybody. */
  isExempt: (address: string | undefined) => boolean;
  /** True for an address that may print without a token. */
  isPrinter: (address: string | undefined) => boolean;
  /** Where webhooks may go. */
  webhookRules: OutboundRules;
  /** Fires when the process has to stop: waiting requests should be answered now. */
  stopping: AbortSignal;
  /** Base URL of this API as clients see it, without a slash at the end. */
  publicUrl: string;
}
