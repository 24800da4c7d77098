import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { afterAll, beforeAll } from "vitest";
import { createApiServer } from "../../src/api/app.ts";
import type { BoardOptions } from "../../src/api/board/bull-board.ts";
import { createAuthenticate } from "../../src/api/http/authenticate.ts";
import type { ConnectionRules } from "../../src/api/http/connections.ts";
import { inNetworks } from "../../src/api/http/networks.ts";
import { describeApi } from "../../src/api/http/openapi.ts";
import { createResponseCache } from "../../src/api/http/response-cache.ts";
import { createRightWatch } from "../../src/api/http/right-watch.ts";
import { createSecrets } from "../../src/api/http/secrets.ts";
import type { ApiContext } from "../../src/api/http/types.ts";
import { routes } from "../../src/api/routes/index.ts";
import { type Role, User } from "../../src/db/entities/accounts/user.ts";
import { Category } from "../../src/db/entities/catalogue/category.ts";
import { Image } from "../../src/db/entities/catalogue/image.ts";
import { createQueues, type Queues } from "../../src/engine/bull-queues.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { createJobMetrics } from "../../src/engine/metrics.ts";
import { createOutbox } from "../../src/engine/outbox.ts";
import { type Relay, startRelay } from "../../src/engine/relay.ts";
import { startWorker } from "../../src/engine/start-worker.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { jobs } from "../../src/jobs/index.ts";
import { type QueueName, queueNames, queues } from "../../src/jobs/queues.ts";
import { openCache } from "../../src/platform/cache.ts";
import { createKeptFile } from "../../src/platform/kept-file.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMailLinks } from "../../src/platform/mail-links.ts";
import { createMailer } from "../../src/platform/mailer.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { createObjectStore } from "../../src/platform/object-store.ts";
import type { CardSettlement } from "../../src/platform/payments/card-provider.ts";
import { createTestProvider, testSettlement } from "../../src/platform/payments/test-provider.ts";
import { createRateLimits, type Limit } from "../../src/platform/rate-limits.ts";
import { cacheConnection, consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import { createWebhookClient } from "../../src/platform/webhook-client.ts";
import { noMailRules } from "../../src/services/mail/mail-rules.ts";
import { createMailStatements } from "../../src/workers/mail/mail-statements.ts";
import { processors } from "../../src/workers/processors/index.ts";
import { useDatabase } from "./database.ts";
import { useIdentity } from "./identity.ts";
import { useMailbox } from "./mailbox.ts";
import { openApiChecker } from "./openapi.ts";
import { payee } from "./printouts.ts";
import { queuePrefix, redisAddress, redisEnv } from "./redis.ts";
import { defaultRetention } from "./retention.ts";
import { useBucket } from "./s3.ts";

export const userIds = {
  admin: "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01",
  employee: "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d02",
  user: "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d03",
  inactive: "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d04",
};

export const apiKey = "test-api-key-0123456789";
export const webhookSecret = "test-webhook-secret-0123456789";
export const paymentSecret = "whsec_dGVzdC1wYXltZW50LXNlY3JldC0wMTIzNDU2Nzg5";
export const mailLinkSecret = "test-mail-link-secret";

const none: Limit = { points: 0, seconds: 1 };
const noLimits = {
  here: { anonymous: none, user: none, "api-key": none },
  everywhere: { credentials: none, expired: none, orders: none, uploads: none },
};
export type LimitName = keyof (typeof noLimits)["here"] | keyof (typeof noLimits)["everywhere"];

function limitsOf(given: Partial<Record<LimitName, Limit>>) {
  const pick = <Name extends LimitName>(of: Record<Name, Limit>) =>
    Object.fromEntries(Object.keys(of).map((name) => [name, given[name as Name] ?? none])) as Record<Name, Limit>;
  return { here: pick(noLimits.here), everywhere: pick(noLimits.everywhere) };
}

export interface ApiOptions {
  /** Address of a Redis of the test's own; the shared one otherwise. */
  redis?: { url: string };
  corsOrigins?: string[];
  board?: Partial<BoardOptions>;
  /** E-mail addresses of employees who are operators. */
  operators?: string[];
  /** How often the rights of those who wait are looked at; as in production otherwise. */
  heartbeatMs?: number;
  /** False: promised jobs stay in the outbox. */
  relay?: boolean;
  /** Limits on requests; none otherwise. */
  limits?: Partial<Record<LimitName, Limit>>;
  /** Networks that no limit holds for. */
  exempt?: string[];
  /** Networks that may print without a token. */
  printers?: string[];
  trustProxy?: number;
  /** How many connections a client may have, and how long it may leave an answer unread; 0, and 30 s otherwise. */
  connections?: ConnectionRules;
  /** Mails of strangers to one mailbox on a day; no limit otherwise. */
  unprovedMailsPerDay?: number;
  /** Connections to S3; as in production otherwise. */
  s3Sockets?: number;
  /** Address of the API as clients see it. */
  publicUrl?: string;
  /** True when a proxy leaves the path of that address in its requests. */
  pathIsKept?: boolean;
}

/** The real HTTP side on a free port, with a database, a bucket and an identity provider of its own. */
export function useApi({
  redis,
  corsOrigins = [],
  board = {},
  operators = [],
  heartbeatMs,
  relay: relays = true,
  limits = {},
  exempt = [],
  printers = [],
  trustProxy = 0,
  connections = { perClient: 0, unreadMs: 30_000 },
  unprovedMailsPerDay = 0,
  s3Sockets,
  publicUrl = "https://api.test",
  pathIsKept = false,
}: ApiOptions = {}) {
  const db = useDatabase();
  const s3 = useBucket();
  const identity = useIdentity();
  const log = createLogger(process.env.TEST_LOG_LEVEL ?? "silent", "test");
  const stop = new AbortController();
  const closers: (() => unknown)[] = [];
  const api = {
    db,
    s3,
    identity,
    log,
    url: "",
    redis: redisAddress,
    redisEnv,
    queuePrefix,
    context: undefined as unknown as ApiContext,
    queues: undefined as unknown as Queues<QueueName>,
    tokens: { admin: "", employee: "", user: "", inactive: "" },
    relay: { offer: () => {}, wake: () => {} } as Pick<Relay, "offer" | "wake">,
    isStopping: false,
  };

  beforeAll(async () => {
    if (redis) Object.assign(api, { redis: redis.url, redisEnv: { REDIS_URL: redis.url } });
    const producer = producerConnection(api.redis, log);
    api.queues = createQueues(queueNames, producer, queuePrefix, log);
    const metrics = createMetrics();
    const store = createObjectStore({
      endpoint: s3.endpoint,
      region: "us-east-1",
      bucket: s3.bucket,
      accessKeyId: s3.accessKey,
      secretAccessKey: s3.secretKey,
      publicUrl: s3.publicUrl,
      ...(s3Sockets !== undefined && { sockets: s3Sockets }),
    });
    const limiter = cacheConnection(api.redis, log);
    const cache = openCache(api.redis, { prefix: `${queuePrefix}-cache`, log });
    const relay = relays
      ? startRelay({ outbox: createOutbox(db, queueNames), queues: api.queues, jobs, log, signal: stop.signal })
      : undefined;
    if (relay) api.relay = relay;

    const issuer = {
      issuer: identity.url,
      jwksUrl: `${identity.url}/api/auth/jwks`,
      algorithms: ["EdDSA"],
      audiences: [identity.url],
      authorizedParties: [],
      userKey: "id" as const,
    };
    const context: ApiContext = {
      db,
      transact: createTransact(db, (jobs) => api.relay.offer(jobs)),
      store,
      keptFeed: createKeptFile(),
      shop: { payee, publicUrl: store.publicUrl },
      cache,
      log,
      metrics,
      authenticate: createAuthenticate(db, [issuer], log),
      rights: createRightWatch(db, heartbeatMs),
      operators,
      secrets: createSecrets([apiKey], webhookSecret),
      limits: createRateLimits({ redis: limiter, prefix: queuePrefix, ...limitsOf(limits) }),
      answers: createResponseCache(trustProxy),
      cards: createTestProvider(paymentSecret, "https://api.test"),
      mailLinks: createMailLinks({ publicUrl: "https://api.test", secret: mailLinkSecret }),
      unprovedMailsPerDay,
      mailWebhook: undefined,
      isExempt: inNetworks(exempt),
      isPrinter: inNetworks(printers),
      webhookRules: { allowPrivate: false },
      stopping: stop.signal,
      publicUrl,
    };
    api.context = context;
    const probes = {
      postgres: () => db.query("SELECT 1"),
      redis: () => producer.ping(),
      s3: (signal: AbortSignal) => store.ping(signal),
    };
    const server: Server = createApiServer({
      context,
      queues: api.queues,
      health: { probes, version: "1.2.3", isStopping: () => api.isStopping },
      corsOrigins,
      board: { environment: "local", ...board },
      trustProxy,
      pathIsKept,
      connections,
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    api.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await addUsers();
    closers.push(
      () => server.closeAllConnections(),
      () => server.close(),
      () => relay?.done,
      () => api.queues.close(),
      () => cache.close(),
      () => limiter.disconnect(),
      () => producer.disconnect(),
      () => store.close(),
    );
  });

  async function addUsers() {
    const roles: Record<string, Role> = { admin: "ADMIN", employee: "EMPLOYEE" };
    for (const [name, id] of Object.entries(userIds)) {
      const role = roles[name] ?? "USER";
      const isActive = name !== "inactive";
      await db.manager.insert(User, {
        id,
        email: `${name}@test.example`,
        firstName: name,
        lastName: "Test",
        role,
        isActive,
      });
      api.tokens[name as keyof typeof api.tokens] = await identity.token(id);
    }
  }

  afterAll(async () => {
    stop.abort();
    for (const close of closers) await close();
  });
  return api;
}

export type TestApi = ReturnType<typeof useApi>;

export interface WorkerOptions {
  /** Mails have links that work without a login. */
  links?: boolean;
  /** The card provider, once all servers run; the test provider otherwise. */
  cards?: () => CardSettlement;
}

/** Workers of all queues in this process, beside the API, and the mailbox that their mail goes to. */
export function useWorker(api: TestApi, { links = false, cards = () => testSettlement }: WorkerOptions = {}) {
  const closers: (() => unknown)[] = [];
  const mailbox = useMailbox();
  beforeAll(() => {
    const { db, log } = api;
    const connection = consumerConnection(api.redis, log);
    const { store, shop, cache, metrics } = api.context;
    const mailer = createMailer({ ...mailbox.mailerOptions(), ...(links && { links: api.context.mailLinks }) });
    const webhookClient = createWebhookClient({ allowPrivate: true });
    const context = {
      db,
      store,
      shop,
      cache,
      mailer,
      mailStatements: createMailStatements(db),
      mailRules: { ...noMailRules, ...(links && { orderPage: "https://shop.test/orders/{id}" }) },
      retention: defaultRetention,
      webhookClient,
      cards: cards(),
      log,
      metrics,
    };
    const cutOff = new AbortController().signal;
    const workers = queueNames.map((queue) => {
      const { relay, queuePrefix: prefix } = api;
      const kinds = { jobs, processors };
      const own = { ...queues[queue], queue, worker: "test", cutOff, relay, connection, prefix };
      return startWorker({ ...own, db, log, metrics: createJobMetrics(new Registry()), context, kinds });
    });
    closers.push(
      () => Promise.all(workers.map((worker) => worker.close())),
      () => connection.disconnect(),
      () => mailer.close(),
    );
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  return { mailbox };
}

/** What is stored now; a refused request must not add to it. */
export async function stored({ db, s3 }: TestApi) {
  const [categories, images, jobs] = [
    await db.manager.count(Category),
    await db.manager.count(Image),
    await db.manager.count(Job),
  ];
  return { categories, images, jobs, objects: await objectKeys(s3) };
}

/** Keys of all objects in the bucket, in order. */
export async function objectKeys({ client, bucket }: TestApi["s3"], prefix = "") {
  const { ListObjectsV2Command } = await import("@aws-sdk/client-s3");
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return Contents.map(({ Key = "" }) => Key);
}

/** Everything that an answer of this API may have; a test looks at what its request promises. */
export interface Body {
  id: string;
  name: string;
  slug: string;
  image_url: string;
  images: { url: string; width: number; height: number; bytes: number; type: string }[];
  thumbhash: string | null;
  image_job: { id: string; status: string; url: string } | null;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  items: Body[];
  total: number;
  pages: number;
  status: string;
  failures: number;
  error: { name: string; message: string } | null;
  result: unknown;
  detail: unknown;
  message: string;
  code: string;
  request_id: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

/** Origins of servers that are not the API: their answers are in no document. */
export const undescribed = new Set<string>();
let checkAnswer: ReturnType<typeof openApiChecker> | undefined;

/** Sends a request and parses the answer, JSON where it is JSON; throws when it is not as the OpenAPI document says. */
export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const res = await fetch(url, { redirect: "manual", ...init });
  const text = await res.text();
  const contentType = res.headers.get("content-type");
  const conditional = new Headers(init.headers).has("if-none-match");
  if (!undescribed.has(new URL(url).origin)) {
    checkAnswer ??= openApiChecker(describeApi(routes, "test"));
    checkAnswer({ method: init.method ?? "GET", url, status: res.status, contentType, text, conditional });
  }
  const isJson = text !== "" && contentType?.startsWith("application/json");
  return { status: res.status, headers: res.headers, body: (isJson ? JSON.parse(text) : {}) as Body, text };
}

export interface CategoryForm {
  name?: string | undefined;
  image?: Buffer | undefined;
  fileName?: string;
  token?: string | undefined;
  headers?: Record<string, string>;
  method?: "POST" | "PATCH";
  path?: string;
}

/** POST or PATCH of a category as a browser sends it. */
export function sendCategory(api: TestApi, options: CategoryForm) {
  const {
    name,
    image,
    fileName = "photo.png",
    token = api.tokens.employee,
    method = "POST",
    path = "/categories",
  } = options;
  const body = new FormData();
  if (name !== undefined) body.set("name", name);
  if (image) body.set("image_blob", new Blob([new Uint8Array(image)]), fileName);
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  return call(api.url + path, { method, body, headers: { ...authorization, ...options.headers } });
}
