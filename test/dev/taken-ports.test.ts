import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startIdentity } from "../../dev/identity/identity.ts";
import { startMailbox } from "../../dev/mailbox/mailbox.ts";
import { startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { startNode } from "../../dev/stack/node-process.ts";
import { paths } from "../../dev/stack/paths.ts";
import { choosePorts } from "../../dev/stack/ports.ts";
import { startYooKassa } from "../../dev/yookassa/server.ts";
import { listen } from "../../src/platform/listen.ts";
import { useApi } from "../support/api.ts";
import { useApiProcesses } from "../support/api-process.ts";

const api = useApi();
const processes = useApiProcesses(api);
const directory = (name: string) => join(inject("directory"), `taken-${name}`);
const others: Server[] = [];
let port = 0;

async function takePort() {
  const other = createServer();
  others.push(other);
  return listen(other, { port: 0, host: "127.0.0.1", advice: "" });
}

beforeAll(async () => {
  port = await takePort();
});
afterAll(() => {
  for (const other of others) other.close();
});

const starts: Record<string, () => Promise<unknown>> = {
  identity: () => startIdentity({ port, keyFile: `${directory("identity")}.json` }),
  "mailbox page": () => startMailbox({ smtpPort: 0, httpPort: port }),
  "mailbox SMTP": () => startMailbox({ smtpPort: port, httpPort: 0 }),
  "card provider": () => startYooKassa({ port, shops: {} }),
  redis: () => startRedis({ dataDirectory: directory("redis"), binaryDirectory: paths.redisBinary, port }),
  postgres: () => startPostgres({ dataDirectory: directory("postgres"), port, fast: true }),
  s3: () => {
    const env = { PATH: process.env.PATH, S3_DIRECTORY: directory("s3"), S3_BUCKET_NAME: "bucket", S3_ACCESS_KEY: "a" };
    const hooks = { name: "s3", log: () => undefined, spawned: () => undefined };
    return startNode("dev/s3/main.ts", { ...env, S3_SECRET_KEY: "s", PORT: String(port) }, hooks, ["--import", "tsx"]);
  },
  api: () => processes.start({ PORT: String(port) }),
  "ops port of the API": () => processes.start({ OPS_PORT: String(port) }),
};

test.each(Object.keys(starts))("%s says in a sentence that its port is taken, and what to do", async (name) => {
  const { message } = await (starts[name] as () => Promise<unknown>)().then(
    () => ({ message: "it started" }),
    (error: Error) => error,
  );
  expect(message).toMatch(
    new RegExp(`[Pp]ort ${port} (is|was) taken by another program.*(set \\w+PORT|set PORT|[Ss]tart again)`),
  );
  expect(message).not.toMatch(/EADDRINUSE|^\s+at /m);
});

test("a port that is taken while the stack is down is left to the other program, and that is said", async () => {
  const file = `${directory("ports")}.json`;
  const first = await choosePorts(file, port, () => undefined);
  const said: string[] = [];
  const other = createServer();
  others.push(other);
  await listen(other, { port: first.s3, host: "127.0.0.1", advice: "" });
  const second = await choosePorts(file, port, (text) => said.push(text));
  expect(said).toEqual([`port ${first.s3} of s3 is taken now; it moves to ${second.s3}`]);
  expect({ ...second, s3: first.s3 }).toEqual(first);
});
