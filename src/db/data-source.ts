import { engineMigrations, Job } from "../engine/index.ts";
import "reflect-metadata";
import pg from "pg";
import { DataSource, type EntityManager } from "typeorm";
import { NotThereYetError, StartUpError } from "../errors.ts";
import { parsePostgresUrl } from "../platform/postgres/address.ts";
import { isPostgresUnavailable, postgresTlsFault } from "../platform/postgres/errors.ts";
import { PostgresPool, type PostgresPoolOptions, type Timeouts } from "../platform/postgres/pool.ts";
import { Address } from "./entities/accounts/address.ts";
import { User } from "./entities/accounts/user.ts";
import { AuditEntry } from "./entities/audit/audit-entry.ts";
import { Category } from "./entities/catalogue/category.ts";
import { Image } from "./entities/catalogue/image.ts";
import { Offer } from "./entities/catalogue/offer.ts";
import { Product } from "./entities/catalogue/product.ts";
import { SubCategory } from "./entities/catalogue/sub-category.ts";
import { Document } from "./entities/documents/document.ts";
import { Mail } from "./entities/mail/mail.ts";
import { MailSuppression } from "./entities/mail/mail-suppression.ts";
import { Cart } from "./entities/orders/cart.ts";
import { CartOffer } from "./entities/orders/cart-offer.ts";
import { Order } from "./entities/orders/order.ts";
import { OrderOffer } from "./entities/orders/order-offer.ts";
import { BalanceEntry } from "./entities/payments/balance-entry.ts";
import { Payment } from "./entities/payments/payment.ts";
import { Refund } from "./entities/payments/refund.ts";
import { StockMovement } from "./entities/stock/stock-movement.ts";
import { Waybill } from "./entities/stock/waybill.ts";
import { WaybillOffer } from "./entities/stock/waybill-offer.ts";
import { Event } from "./entities/webhooks/event.ts";
import { WebhookEndpoint } from "./entities/webhooks/webhook-endpoint.ts";
import { Init1763856000001 } from "./migrations/0001-init.ts";
import { Shop1763942400002 } from "./migrations/0002-shop.ts";
import { Search1764028800003 } from "./migrations/0003-search.ts";
import { Documents1764115200004 } from "./migrations/0004-documents.ts";
import { IdentityEvents1764201600005 } from "./migrations/0005-identity-events.ts";
import { UpdatedAt1764288000006 } from "./migrations/0006-updated-at.ts";
import { Webhooks1764460800008 } from "./migrations/0008-webhooks.ts";
import { StrayObjects1764547200009 } from "./migrations/0009-stray-objects.ts";
import { Timeline1764633600010 } from "./migrations/0010-timeline.ts";
import { Mail1764720000011 } from "./migrations/0011-mail.ts";
import { DocumentsInFlight1764806400012 } from "./migrations/0012-documents-in-flight.ts";
import { DocumentSources1764892800013 } from "./migrations/0013-document-sources.ts";
import { AuditChain1765065600015 } from "./migrations/0015-audit-chain.ts";
import { MailPace1765152000016 } from "./migrations/0016-mail-pace.ts";
import { MailLinks1765238400017 } from "./migrations/0017-mail-links.ts";
import { MailCounts1765584000021 } from "./migrations/0021-mail-counts.ts";
import { ProvedIdentities1765756800023 } from "./migrations/0023-proved-identities.ts";
import { PersonalData1765843200024 } from "./migrations/0024-personal-data.ts";
import { ReceivedEventsByAge1766016000026 } from "./migrations/0026-received-events-by-age.ts";
import { MaintenanceQueue1766188800028 } from "./migrations/0028-maintenance-queue.ts";
import { Books1766361600030 } from "./migrations/0030-books.ts";
import { EmailsOfActiveUsers1767225600040 } from "./migrations/0040-emails-of-active-users.ts";
import { OrdersByEmail1767225600041 } from "./migrations/0041-orders-by-email.ts";
import { UuidV71767657600045 } from "./migrations/0045-uuid-v7.ts";

const defaultTimeouts: Timeouts = {
  statement_timeout: 10_000,
  lock_timeout: 3_000,
  idle_in_transaction_session_timeout: 10_000,
};
/** Measured on this side, for a server that does not answer any more. */
const answerMs = 15_000;
/** An index on a large table takes minutes; if a lock is not free soon, another attempt is better than to wait. */
const migrationTimeouts: Timeouts = { lock_timeout: 30_000 };
/** A request must not wait longer for a connection … */
const requestConnectMs = 3_000;
/** … but a start may take as long as a busy machine needs to connect. */
const firstConnectMs = 30_000;
/** Of a name in Postgres, less its end. */
const maxNameLength = 63;

export interface DataSourceOptions {
  /** Absent: those of a request, which turn a stuck lock or a dead server into an error within seconds. */
  timeouts?: Timeouts;
  /** True behind a pooler in transaction mode. */
  isPooled?: boolean;
  /** Names the process in `pg_stat_activity`; 63 bytes of it are seen there. */
  name?: string;
  /** The longest wait for a connection. */
  connectMs?: number;
}

/** A data source that is not connected yet; `initialize()` connects it. */
export function createDataSource(
  url: string,
  poolSize = 10,
  { timeouts = defaultTimeouts, isPooled = false, name = "tcf", connectMs = requestConnectMs }: DataSourceOptions = {},
) {
  const extra: PostgresPoolOptions = {
    application_name: name.slice(0, maxNameLength),
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    timeouts,
    isPooled,
    ...(timeouts === defaultTimeouts && { query_timeout: answerMs }),
  };
  return new DataSource({
    type: "postgres",
    driver: { ...pg, Pool: PostgresPool },
    url,
    entities: [
      Address,
      AuditEntry,
      BalanceEntry,
      Cart,
      CartOffer,
      Category,
      Document,
      Event,
      Image,
      Job,
      Mail,
      MailSuppression,
      Offer,
      Order,
      OrderOffer,
      Payment,
      Refund,
      Product,
      StockMovement,
      SubCategory,
      User,
      Waybill,
      WaybillOffer,
      WebhookEndpoint,
    ],
    migrations: [
      ...engineMigrations,
      Init1763856000001,
      Shop1763942400002,
      Search1764028800003,
      Documents1764115200004,
      IdentityEvents1764201600005,
      UpdatedAt1764288000006,
      Webhooks1764460800008,
      StrayObjects1764547200009,
      Timeline1764633600010,
      Mail1764720000011,
      DocumentsInFlight1764806400012,
      DocumentSources1764892800013,
      AuditChain1765065600015,
      MailPace1765152000016,
      MailLinks1765238400017,
      MailCounts1765584000021,
      ProvedIdentities1765756800023,
      PersonalData1765843200024,
      ReceivedEventsByAge1766016000026,
      MaintenanceQueue1766188800028,
      Books1766361600030,
      EmailsOfActiveUsers1767225600040,
      OrdersByEmail1767225600041,
      UuidV71767657600045,
    ],
    migrationsTransactionMode: "each",
    installExtensions: false,
    uuidExtension: "pgcrypto",
    poolSize,
    // The pool replaces an idle connection that breaks; without a handler its error would end the process.
    poolErrorHandler: () => undefined,
    extra,
  });
}

type ConnectOptions = Pick<DataSourceOptions, "isPooled" | "name">;

/**
 * A connected data source; throws `StartUpError` with the address when Postgres refuses or is behind a pooler that was
 * not named, `NotThereYetError` when it cannot be reached or is starting.
 */
export function connectDatabase(url: string, poolSize?: number, options?: ConnectOptions) {
  return connect(url, poolSize, { ...options, timeouts: defaultTimeouts });
}

/** As `connectDatabase`, without the limits that a migration may exceed. */
export function connectForMigration(url: string, options?: ConnectOptions) {
  return connect(url, 2, { ...options, timeouts: migrationTimeouts });
}

async function connect(url: string, poolSize: number | undefined, options: DataSourceOptions & { timeouts: Timeouts }) {
  const db = createDataSource(url, poolSize, { ...options, connectMs: firstConnectMs });
  try {
    await reaching(url, async () => {
      await db.initialize();
      await refuseHiddenPooler(db, url, options);
    });
  } catch (error) {
    if (db.isInitialized) await db.destroy();
    const refused = refusedParameter(error);
    if (refused)
      throw new StartUpError(options.isPooled ? about(url, "used", refused) : aboutPooler(url), { cause: error });
    throw error instanceof StartUpError ? error : new StartUpError(about(url, "used", error), { cause: error });
  }
  const { connectSeconds } = parsePostgresUrl(url);
  poolOf(db).options.connectionTimeoutMillis = connectSeconds ? connectSeconds * 1_000 : requestConnectMs;
  return db;
}

/** PgBouncer's answer to a parameter of a session, which has the code of a broken protocol; undefined for all others. */
function refusedParameter(error: unknown) {
  const { cause = error } = error as { cause?: unknown };
  return cause instanceof Error && /unsupported startup parameter/.test(cause.message) ? cause : undefined;
}

/** A pooler that ignores the time-outs of a session would leave a stuck statement running for ever. */
async function refuseHiddenPooler(db: DataSource, url: string, { isPooled, timeouts }: DataSourceOptions) {
  if (isPooled) return;
  const [row] = await db.query("SELECT setting::int AS given FROM pg_settings WHERE name = 'lock_timeout'");
  if (row.given !== timeouts?.lock_timeout) throw new StartUpError(aboutPooler(url));
}

function aboutPooler(url: string) {
  const { servers, path } = parsePostgresUrl(url);
  return (
    `Postgres at ${servers}${path} is behind a pooler, which does not pass on the time-outs of a session. ` +
    "Set DATABASE_POOLER=transaction, and DATABASE_DIRECT_URL to the server itself for migrations."
  );
}

/**
 * Returns what `work` returns; throws `NotThereYetError` with the address where Postgres is unavailable or overloaded.
 */
export async function reaching<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isPostgresUnavailable(error) || postgresTlsFault(error, "")) throw error;
    throw new NotThereYetError(about(url, "reached", error), { cause: error });
  }
}

function about(url: string, done: "reached" | "used", error: unknown) {
  const { servers, path } = parsePostgresUrl(url);
  // Where a name has several addresses, the error for all of them has no message of its own.
  const reason = error instanceof Error ? error.message || (error as { code?: string }).code : String(error);
  return `Postgres at ${servers}${path} cannot be ${done}: ${postgresTlsFault(error, servers) ?? reason}.`;
}

/** How many connections of a data source are busy or idle, and how many callers wait for one. */
export function poolState(db: DataSource) {
  const { totalCount, idleCount, waitingCount } = poolOf(db);
  return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
}

const poolOf = ({ driver }: DataSource) => (driver as unknown as { master: pg.Pool }).master;

/**
 * Names of migrations that this code has and the database lacks, and of those that the database has and this code does
 * not know; rejects when Postgres does not answer.
 */
export async function pendingOf(tx: EntityManager) {
  const [{ exists }] = await tx.query("SELECT to_regclass('migrations') IS NOT NULL AS exists");
  const done: { name: string }[] = exists ? await tx.query("SELECT name FROM migrations ORDER BY id") : [];
  const has = new Set(done.map(({ name }) => name));
  const needed = tx.connection.migrations.map((one) => one.name ?? one.constructor.name);
  return {
    pending: needed.filter((name) => !has.has(name)),
    foreign: [...has].filter((name) => !needed.includes(name)),
  };
}
