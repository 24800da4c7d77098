import type { Webhook } from "standardwebhooks";
import type { DataSource } from "typeorm";
import type { Role } from "../../db/entities/accounts/user.ts";
import type { Transact } from "../../engine/index.ts";
import type { Cache } from "../../platform/cache.ts";
import type { KeptFile } from "../../platform/kept-file.ts";
import type { Log } from "../../platform/logger.ts";
import type { MailLinks } from "../../platform/mail-links.ts";
import type { Metrics } from "../../platform/metrics.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import type { OutboundRules } from "../../platform/outbound-url.ts";
import type { Shop } from "../../services/documents/kinds/define-kind.ts";
import type { PaymentProvider } from "../routes/payments/payment-provider.ts";
import type { ApiLimits } from "./limit-requests.ts";
import type { ResponseCache } from "./response-cache.ts";
import type { RightWatch } from "./right-watch.ts";
import type { Secrets } from "./secrets.ts";

/** Who sends a request. */
export interface Actor {
  id: string;
  role: Role;
  /** When the token ends, in milliseconds of Unix time; absent where there is none. */
  expiresAt?: number;
  /** True: the token says that its e-mail is not proved, so no right comes from an address. */
  isEmailUnproved?: boolean;
}

/** What a route may use. `main.ts` builds it once; tests build their own. */
export interface ApiContext {
  db: DataSource;
  transact: Transact;
  store: ObjectStore;
  /** The newest feed, which anybody may read as slowly as he likes. */
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
  /** Answers that can be sent without asking anybody. */
  answers: ResponseCache;
  /** Who takes cards; undefined when nobody does. */
  cards: PaymentProvider | undefined;
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
  /** Fires when the process is to stop: whoever only waits should answer now. */
  stopping: AbortSignal;
  /** Base URL of this API as clients see it, without a slash at the end. */
  publicUrl: string;
}
