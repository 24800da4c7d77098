import { expect, test } from "vitest";
import { readGivenServers, withoutPassword } from "../../dev/stack/given-servers.ts";
import { environment } from "../../src/config.ts";

test.each([
  ["is the worker's own default when it is not said", undefined, environment.worker.shape.SMTP_PORT.parse(undefined)],
  ["is that default when it is empty", "", 587],
  ["is what is said otherwise", "2525", 2525],
])("the port of a given mail server %s", (_what, SMTP_PORT, port) => {
  expect(readGivenServers({ SMTP_HOST: "mail.example", SMTP_PORT }).smtp).toEqual({ host: "mail.example", port });
});

test.each(["abc", "0", "65536", "25.5"])("the port %j of a given mail server is refused by name", (SMTP_PORT) => {
  expect(() => readGivenServers({ SMTP_HOST: "mail.example", SMTP_PORT })).toThrow("SMTP_PORT is wrong");
});

test("a database for migrations is refused where the stack would start the one that it fills", () => {
  const DATABASE_DIRECT_URL = "postgresql://u:hunter2@db.internal/shop";
  expect(() => readGivenServers({ DATABASE_DIRECT_URL })).toThrow("DATABASE_DIRECT_URL is set without DATABASE_URL");
  const DATABASE_URL = "postgresql://u:hunter2@pooler.internal:6432/shop";
  expect(readGivenServers({ DATABASE_URL, DATABASE_DIRECT_URL }).databaseUrl).toBe(DATABASE_URL);
  expect(() => readGivenServers({ DATABASE_URL, DATABASE_POOLER: "session" })).toThrow("DATABASE_POOLER is wrong");
});

test("several servers of Postgres are shown without the login", () => {
  const url = "postgresql://u:hunter2@db1:5432,db2:5432/shop?target_session_attrs=read-write";
  expect(readGivenServers({ DATABASE_URL: url }).databaseUrl).toBe(url);
  expect(withoutPassword(url)).toBe("postgresql://db1:5432,db2:5432/shop");
});

test.each([
  [{}, "https://s3.example/shop"],
  [{ S3_ADDRESSING: "virtual" }, "https://shop.s3.example"],
  [{ S3_ADDRESSING: "virtual", S3_PUBLIC_URL: "https://cdn.example" }, "https://cdn.example"],
])("the public address of a given bucket is as its processes find it: %j", (env, publicUrl) => {
  const keys = { S3_BUCKET_NAME: "shop", S3_ACCESS_KEY: "a", S3_SECRET_KEY: "b" };
  expect(readGivenServers({ S3_ENDPOINT_URL: "https://s3.example/", ...keys, ...env }).s3?.publicUrl).toBe(publicUrl);
});
