import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadApiConfig, loadDatabaseConfig, loadWorkerConfig, migrationsOf } from "../src/config.ts";
import { queueNames } from "../src/jobs/queues.ts";

const shared = {
  ENVIRONMENT: "local",
  DATABASE_URL: "postgresql://user@localhost:5432/shop",
  REDIS_URL: "redis://localhost:6379",
  S3_ENDPOINT_URL: "http://localhost:9000/",
  S3_BUCKET_NAME: "shop",
  S3_ACCESS_KEY: "key",
  S3_SECRET_KEY: "secret",
};

describe("the configuration", () => {
  test("lists every wrong variable at once, and shows no value of them", () => {
    const load = () => loadApiConfig({ ...shared, PORT: "x", DATABASE_URL: "mysql://root:hunter2@h/d", REDIS_URL: "" });
    for (const name of ["PORT", "DATABASE_URL", "REDIS_URL"]) expect(load, name).toThrow(name);
    expect(load).not.toThrow(/hunter2/);
  });

  test.each([
    ["a header that is believed from any client", { BOARD_IDENTITY_HEADER: "x-user" }],
    [
      "a proxy that may have every address",
      { BOARD_IDENTITY_HEADER: "x-user", BOARD_IDENTITY_CIDRS: "10.0.0.0/8,0.0.0.0/0" },
    ],
    ["a proxy that may have every address of the new kind", { BOARD_IDENTITY_CIDRS: "::/0" }],
    ["a proxy that may have every address in two halves", { BOARD_IDENTITY_CIDRS: "0.0.0.0/1,128.0.0.0/1" }],
  ])("refuses to open the board by %s", (_how, env) => {
    expect(() => loadApiConfig({ ...shared, BETTER_AUTH_URL: "https://shop.test", ...env })).toThrow("BOARD_IDENTITY_");
  });

  test.each([
    ["is missing", undefined, "cannot be read (ENOENT)"],
    ["is empty", "", "has no certificate in PEM"],
    ["is broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1 in"],
  ])("refuses authorities whose file %s, and names the file", (_how, text, says) => {
    const folder = mkdtempSync(join(tmpdir(), "tcf-authorities-"));
    const file = join(folder, "authorities.pem");
    if (text !== undefined) writeFileSync(file, text);
    const load = () => loadDatabaseConfig({ ...shared, EXTRA_CA_FILE: file });
    expect(load).toThrow("EXTRA_CA_FILE is wrong: ");
    expect(load).toThrow(file);
    expect(load).toThrow(says);
    rmSync(folder, { recursive: true });
  });

  test.each([
    [{}, "http://localhost:9000/shop"],
    [{ S3_ADDRESSING: "virtual" }, "http://shop.localhost:9000"],
    [{ S3_ADDRESSING: "virtual", S3_ENDPOINT_URL: "" }, "https://shop.s3.us-east-1.amazonaws.com"],
    [{ S3_ENDPOINT_URL: "" }, "https://s3.us-east-1.amazonaws.com/shop"],
    [{ S3_PUBLIC_URL: "https://cdn.example/" }, "https://cdn.example"],
  ])("finds the public address of the bucket for %j", (env, publicUrl) => {
    expect(loadApiConfig({ ...shared, BETTER_AUTH_URL: "https://shop.test", ...env }).s3.publicUrl).toBe(publicUrl);
  });

  test("takes a prefix of keys with or without the slash at its end, and none that would name another place", () => {
    const load = (S3_KEY_PREFIX: string) =>
      loadApiConfig({ ...shared, BETTER_AUTH_URL: "https://shop.test", S3_KEY_PREFIX }).s3.keyPrefix;
    expect(["", "shop", "shop/a/"].map(load)).toEqual(["", "shop/", "shop/a/"]);
    for (const wrong of ["/shop", "a//b", "a b", "a?b"]) expect(() => load(wrong), wrong).toThrow("S3_KEY_PREFIX");
  });

  test("refuses options of a session where the session is the pooler's", () => {
    const options = { ...shared, DATABASE_URL: "postgresql://u:hunter2@h/d?options=-c%20search_path%3Dshop" };
    const load = () => loadDatabaseConfig({ ...options, DATABASE_POOLER: "transaction" });
    expect(load).toThrow("DATABASE_URL has 'options', which a pooler in transaction mode does not keep");
    expect(load).not.toThrow("hunter2");
    expect(loadDatabaseConfig(options).DATABASE_POOLER).toBe("none");
  });

  test("refuses parameters of a database's URL that would have no effect, by name", () => {
    const DATABASE_DIRECT_URL = "postgresql://u:hunter2@h/d?schema=shop";
    const load = () => loadDatabaseConfig({ ...shared, DATABASE_DIRECT_URL });
    expect(load).toThrow("DATABASE_DIRECT_URL is wrong: has the parameter 'schema', which would have no effect: set");
    expect(load).not.toThrow("hunter2");
  });

  test("sends migrations to the server itself, where it is known", () => {
    const through = { ...shared, DATABASE_POOLER: "transaction" };
    expect(migrationsOf(loadDatabaseConfig(shared))).toEqual({ url: shared.DATABASE_URL, isPooled: false });
    expect(migrationsOf(loadDatabaseConfig(through))).toEqual({ url: shared.DATABASE_URL, isPooled: true });
    const DATABASE_DIRECT_URL = "postgresql://user@server:5432/shop";
    expect(migrationsOf(loadDatabaseConfig({ ...through, DATABASE_DIRECT_URL }))).toEqual({
      ...{ url: DATABASE_DIRECT_URL, isPooled: false },
    });
  });

  test("has sensible values for what is not said", () => {
    const config = loadApiConfig({ ...shared, BETTER_AUTH_URL: "https://shop.test/" });
    expect(config).toMatchObject({
      PORT: 8080,
      publicUrl: "http://localhost:8080",
      redis: { broker: "redis://localhost:6379", cache: "redis://localhost:6379" },
      s3: { endpoint: "http://localhost:9000", region: "us-east-1", publicUrl: "http://localhost:9000/shop" },
      CORS_ORIGINS: [],
      issuers: [
        { issuer: "https://shop.test", jwksUrl: "https://shop.test/api/auth/jwks", audiences: ["https://shop.test"] },
      ],
    });
    expect(loadWorkerConfig({ ...shared, SMTP_HOST: "mail.test" })).toMatchObject({
      WORKER_QUEUES: queueNames,
      OPS_PORT: 9090,
      smtp: {
        host: "mail.test",
        port: 587,
        credentials: undefined,
        from: { name: "ТЦ Форд", address: "shop@example.com" },
        security: "starttls",
      },
    });
  });

  test("takes origins of browsers as browsers name them, and nothing that none ever sends", () => {
    const load = (origins: string) =>
      loadApiConfig({ ...shared, BETTER_AUTH_URL: "https://shop.test", CORS_ORIGINS: origins }).CORS_ORIGINS;
    expect(load("https://a.test, http://localhost:3000")).toEqual(["https://a.test", "http://localhost:3000"]);
    for (const wrong of [
      "*",
      "null",
      "a.test",
      "https://a.test/",
      "https://a.test/x",
      "HTTPS://a.test",
      "ftp://a.test",
    ]) {
      expect(() => load(`https://ok.test,${wrong}`), wrong).toThrow("CORS_ORIGINS");
    }
  });

  test("takes a page of an order with a place for its id, and none without", () => {
    const load = (page: string) =>
      loadWorkerConfig({ ...shared, SMTP_HOST: "mail.test", STOREFRONT_ORDER_URL: page }).mailRules.orderPage;
    expect(load("https://shop.test/orders/{id}?from=mail")).toBe("https://shop.test/orders/{id}?from=mail");
    for (const wrong of [
      "https://shop.test/orders/",
      "shop.test/{id}",
      "ftp://shop.test/{id}",
      "https://a@b.test/{id}",
    ])
      expect(() => load(wrong), wrong).toThrow("STOREFRONT_ORDER_URL");
  });

  test("takes kinds of mail that are not to be sent, and says which there are when one is none", () => {
    const load = (MAIL_OFF: string) => loadWorkerConfig({ ...shared, SMTP_HOST: "mail.test", MAIL_OFF }).mailRules;
    expect([...load("order-received, low-stock").off]).toEqual(["order-received", "low-stock"]);
    expect([...load("").off]).toEqual([]);
    expect(load("").unprovedPerDay).toBe(5);
    for (const wrong of ["order-recieved", "*", "order-received;welcome", "ORDER-RECEIVED"])
      expect(() => load(wrong), wrong).toThrow(/MAIL_OFF is wrong: is not one of welcome, verify-email/);
  });

  test("needs a mail server for the queue mail alone", () => {
    expect(() => loadWorkerConfig(shared)).toThrow(/SMTP_HOST is not set/);
    expect(loadWorkerConfig({ ...shared, WORKER_QUEUES: "images" }).WORKER_QUEUES).toEqual(["images"]);
  });

  test("sends no password in the clear", () => {
    const login = { SMTP_HOST: "mail.test", SMTP_USER: "shop", SMTP_PASS: "hunter2", SMTP_SECURITY: "none" };
    expect(() => loadWorkerConfig({ ...shared, ...login })).toThrow(/SMTP_SECURITY/);
    expect(() => loadWorkerConfig({ ...shared, ...login })).not.toThrow(/hunter2/);
    expect(loadWorkerConfig({ ...shared, ...login, SMTP_SECURITY: "tls" }).smtp.credentials).toEqual({
      user: "shop",
      pass: "hunter2",
    });
  });

  test.each([
    ["Shop <shop@mail.test>", { name: "Shop", address: "shop@mail.test" }],
    ["shop@mail.test", { name: "", address: "shop@mail.test" }],
    ["<shop@mail.test>", { name: "", address: "shop@mail.test" }],
  ])("takes %j as a sender", (SMTP_FROM, from) => {
    expect(loadWorkerConfig({ ...shared, SMTP_HOST: "mail.test", SMTP_FROM }).smtp.from).toEqual(from);
  });

  test.each(["Shop", "a@x.ru, b@x.ru", "Shop <a@x.ru>\r\nBcc: <b@x.ru>", "Shop <a@x.ru> <b@x.ru>", "a@localhost"])(
    "refuses %j as a sender",
    (SMTP_FROM) => {
      expect(() => loadWorkerConfig({ ...shared, SMTP_HOST: "mail.test", SMTP_FROM })).toThrow(/SMTP_FROM/);
    },
  );

  test("takes further issuers as JSON", () => {
    const issuer = {
      issuer: "https://clerk.test",
      jwksUrl: "https://clerk.test/jwks",
      algorithms: ["RS256"],
      userKey: "clerk_id",
    };
    const config = loadApiConfig({ ...shared, TRUSTED_ISSUERS: JSON.stringify([issuer]) });
    expect(config.issuers).toEqual([{ ...issuer, audiences: [], authorizedParties: [] }]);
    expect(() => loadApiConfig({ ...shared, TRUSTED_ISSUERS: "[{}]" })).toThrow(/TRUSTED_ISSUERS/);
    expect(() => loadApiConfig({ ...shared, TRUSTED_ISSUERS: "{" })).toThrow(/is not JSON/);
  });

  test("wants a secret with the test provider of payments, as Standard Webhooks writes it", () => {
    const load = (more: object) =>
      loadApiConfig({ ...shared, ENVIRONMENT: "local", BETTER_AUTH_URL: "https://shop.test", ...more });
    const secret = "whsec_dGVzdC1wYXltZW50LXNlY3JldC0wMTIzNDU2Nzg5";
    expect(load({ PAYMENT_WEBHOOK_SECRET: secret }).cards).toBeUndefined();
    expect(load({ PAYMENT_PROVIDER: "test", PAYMENT_WEBHOOK_SECRET: secret }).cards).toEqual({ provider: "test" });
    expect(() => load({ PAYMENT_PROVIDER: "test" })).toThrow(/needs PAYMENT_WEBHOOK_SECRET/);
    expect(() => load({ PAYMENT_PROVIDER: "bank" })).toThrow(/PAYMENT_PROVIDER/);
    for (const wrong of ["short", "whsec_", "whsec_not-base64-at-all-not-base64-at-all", secret.slice(0, -1)]) {
      expect(() => load({ PAYMENT_PROVIDER: "test", PAYMENT_WEBHOOK_SECRET: wrong }), wrong).toThrow(/is not base64/);
    }
  });

  test("wants what YooKassa needs, in the API and in workers", () => {
    const account = {
      ...{ PAYMENT_PROVIDER: "yookassa", YOOKASSA_SHOP_ID: "100500", YOOKASSA_SECRET_KEY: "test_0123456789abcdef" },
      YOOKASSA_RETURN_URL: "https://shop.test/orders/{order_id}",
    };
    const loaders = [
      (more: object) => loadApiConfig({ ...shared, BETTER_AUTH_URL: "https://shop.test", ...more }).cards,
      (more: object) => loadWorkerConfig({ ...shared, WORKER_QUEUES: "images", ...more }).cards,
    ];
    for (const load of loaders) {
      expect(load(account)).toEqual({
        ...{ provider: "yookassa", url: "https://api.yookassa.ru/v3", shopId: "100500", isTwoStage: false },
        ...{ secretKey: "test_0123456789abcdef", returnUrl: account.YOOKASSA_RETURN_URL, receipts: undefined },
      });
      const receipts = { YOOKASSA_RECEIPT_VAT: "4", YOOKASSA_RECEIPT_TAX_SYSTEM: "2", YOOKASSA_CAPTURE: "by-staff" };
      expect(load({ ...account, ...receipts })).toMatchObject({
        isTwoStage: true,
        receipts: { vatCode: 4, taxSystem: 2 },
      });
      expect(() => load({ PAYMENT_PROVIDER: "yookassa" })).toThrow(
        "PAYMENT_PROVIDER=yookassa needs YOOKASSA_SHOP_ID and YOOKASSA_SECRET_KEY and YOOKASSA_RETURN_URL",
      );
      expect(() => load({ ...account, YOOKASSA_RECEIPT_TAX_SYSTEM: "2" })).toThrow("needs YOOKASSA_RECEIPT_VAT");
      for (const wrong of [{ YOOKASSA_SHOP_ID: "shop" }, { YOOKASSA_RECEIPT_VAT: "13" }, { YOOKASSA_CAPTURE: "later" }])
        expect(() => load({ ...account, ...wrong })).toThrow(Object.keys(wrong)[0]);
    }
  });

  test("takes a collector's headers as OpenTelemetry writes them, and a share of the requests", () => {
    const load = (more: object) => loadWorkerConfig({ ...shared, WORKER_QUEUES: "images", ...more }).tracing;
    expect(load({})).toEqual({ endpoint: undefined, headers: undefined, ratio: 1 });
    const headers = "Authorization=Bearer%20a%3Db%2Cc, x-tenant=shop";
    const given = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318/", OTEL_TRACES_SAMPLER_ARG: "0.25" };
    expect(load({ ...given, OTEL_EXPORTER_OTLP_HEADERS: headers })).toEqual({
      endpoint: "http://otel:4318",
      headers: { authorization: "Bearer a=b,c", "x-tenant": "shop" },
      ratio: 0.25,
    });
    for (const wrong of ["authorization", "=secret", "a=%zz", "a=b,,c=d", "a b=c"])
      expect(() => load({ OTEL_EXPORTER_OTLP_HEADERS: wrong }), wrong).toThrow(/OTEL_EXPORTER_OTLP_HEADERS is wrong/);
    for (const wrong of ["2", "-1", "1.5", "half", "1e-2"])
      expect(() => load({ OTEL_TRACES_SAMPLER_ARG: wrong }), wrong).toThrow(/OTEL_TRACES_SAMPLER_ARG/);
  });

  test("refuses an API that no user could log in to", () => {
    expect(() => loadApiConfig(shared)).toThrow(/BETTER_AUTH_URL/);
  });

  test("refuses a queue that does not exist", () => {
    expect(() => loadWorkerConfig({ ...shared, WORKER_QUEUES: "images,nonsense" })).toThrow(/WORKER_QUEUES/);
  });
});

describe("the Redis of the queues and of the cache", () => {
  const { REDIS_URL, ...others } = shared;
  const load = (env: NodeJS.ProcessEnv) => loadApiConfig({ ...others, BETTER_AUTH_URL: "https://shop.test", ...env });

  test("are one server by its URL, and the cache is the broker unless it has settings of its own", () => {
    expect(load({ REDIS_URL }).redis).toEqual({ broker: REDIS_URL, cache: REDIS_URL });
    const mixed = load({ REDIS_URL, REDIS_CACHE_CLUSTER_NODES: "a:1, b" }).redis;
    expect(mixed).toEqual({
      broker: REDIS_URL,
      cache: {
        nodes: [
          { host: "a", port: 1 },
          { host: "b", port: 6_379 },
        ],
        isEncrypted: false,
      },
    });
  });

  test("are a master by its sentinels, with a login for each kind of server", () => {
    const { broker } = load({
      REDIS_SENTINELS: "s1:26380,[2001:db8::1],s3",
      REDIS_SENTINEL_NAME: "shop",
      REDIS_SENTINEL_USERNAME: "watch",
      REDIS_SENTINEL_PASSWORD: "w",
      REDIS_USERNAME: "shop",
      REDIS_PASSWORD: "p",
      REDIS_TLS: "true",
    }).redis;
    expect(broker).toEqual({
      sentinels: [
        { host: "s1", port: 26_380 },
        { host: "2001:db8::1", port: 26_379 },
        { host: "s3", port: 26_379 },
      ],
      master: "shop",
      sentinelUsername: "watch",
      sentinelPassword: "w",
      username: "shop",
      password: "p",
      isEncrypted: true,
    });
  });

  test.for<[string, NodeJS.ProcessEnv, RegExp]>([
    ["no Redis", {}, /REDIS_URL is not set: .*REDIS_SENTINELS or in REDIS_CLUSTER_NODES/],
    ["two kinds", { REDIS_URL, REDIS_SENTINELS: "a" }, /REDIS_URL and REDIS_SENTINELS are set: keep/],
    [
      "two kinds of cache",
      { REDIS_URL, REDIS_CACHE_SENTINELS: "a", REDIS_CACHE_CLUSTER_NODES: "b" },
      /REDIS_CACHE_SENT/,
    ],
    ["a password beside a URL", { REDIS_URL, REDIS_PASSWORD: "hunter2" }, /REDIS_PASSWORD .* rediss:/],
    ["TLS beside a URL", { REDIS_URL, REDIS_TLS: "true" }, /REDIS_TLS .* rediss:/],
    ["a URL in a list", { REDIS_SENTINELS: "a,redis://:hunter2@b" }, /REDIS_SENTINELS is wrong: item 2 .*host:26379/],
    ["a port that is none", { REDIS_CLUSTER_NODES: "a:70000" }, /REDIS_CLUSTER_NODES is wrong: item 1/],
  ])("are refused with a sentence when there is %s", ([, env, sentence]) => {
    expect(() => load(env)).toThrow(sentence);
    expect(() => load(env)).not.toThrow("hunter2");
  });
});
