import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import type { DataSource } from "typeorm";
import { watchProcess } from "../../bench/support/processes.ts";
import { machine } from "../../bench/support/statistics.ts";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { documents } from "../../src/db/dao/documents/documents.ts";
import { connectDatabase, createDataSource } from "../../src/db/data-source.ts";
import { Document } from "../../src/db/entities/documents/document.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { businessDay } from "../../src/services/business-day.ts";
import { publicPriceList } from "../../src/services/documents/kinds/index.ts";
import { requestNewsletter } from "../../src/services/mail/newsletters.ts";
import { startHttpProbe } from "../support/mail-probe.ts";
import { startScriptedSmtp } from "../support/scripted-smtp.ts";

// `npm run chaos:newsletter`: a newsletter to 50,000 readers by two worker processes with the settings of production, one
// of which is killed ten times on the way; every mail is counted at the mail server. `-- --readers=N --kills=N`.

const { values } = parseArgs({
  options: { readers: { type: "string", default: "50000" }, kills: { type: "string", default: "10" } },
});
const [readers, kills] = [Number(values.readers), Number(values.kills)];
const workerCount = 2;

const directory = mkdtempSync(join(tmpdir(), "tcf-newsletter-"));
chmodSync(directory, 0o755);
const dataDirectory = join(directory, "postgres");
const watchdog = startWatchdog([directory]);
const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
const [postgres, redis, smtp] = await Promise.all([
  startPostgres({ dataDirectory, password: "chaos" }),
  startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory, password: "chaos" }),
  startScriptedSmtp(),
]);
watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
const arrived = new Set<string>();
let counted = 0;
const probe = await startHttpProbe((messageId) => {
  for (; counted < smtp.taken.length; counted++) arrived.add(String(smtp.taken[counted]));
  return arrived.has(messageId);
});
const migrating = await createDataSource(postgres.url, 2, { timeouts: {} }).initialize();
await migrating.runMigrations();
await migrating.destroy();
const db = await connectDatabase(postgres.url, 4);
await addReaders(db);

let isClosing = false;
let peakMb = 0;
const children = new Set<ChildProcess>();
await Promise.all(Array.from({ length: workerCount }, startWorker));
const began = performance.now();
const origin = { actorId: null, traceId: null };
const jobId = await createTransact(db, () => undefined)(origin, (tx) => requestNewsletter(tx, ["USER_WHOLESALE"]));
const client = new Redis(redis.url);
let redisMb = 0;
let killed = 0;
let state = "open";
for (let shown = 0; state !== "succeeded" && state !== "failed"; ) {
  const memory = /used_memory:(\d+)/.exec(await client.info("memory"))?.[1];
  redisMb = Math.max(redisMb, Number(memory) / 1_048_576);
  if (killed < kills && smtp.taken.length > ((killed + 0.5) / kills) * readers) {
    killed++;
    // The oldest one: it has the most on the wire.
    [...children][0]?.kill("SIGKILL");
  }
  if (Date.now() - shown > 10_000) {
    shown = Date.now();
    say(`${((performance.now() - began) / 1_000).toFixed(0)} s: ${smtp.taken.length} mails, ${killed} kills`);
  }
  await sleep(100);
  [{ state }] = await db.query("SELECT state FROM job WHERE id = $1", [jobId]);
}
const seconds = (performance.now() - began) / 1_000;
const ends: { state: string; mails: number }[] = await db.query(
  "SELECT mails.state, count(*)::int AS mails FROM mails JOIN job ON job.id = job_id WHERE parent_id = $1 GROUP BY 1",
  [jobId],
);
const distinct = new Set(smtp.taken).size;
const isGood = distinct === readers && smtp.taken.length === readers && state === "succeeded" && killed === kills;
say(
  `${machine()}\n${readers} readers, ${killed} kills: ${smtp.taken.length} mails arrived, ${distinct} of them different; ` +
    `${ends.map((end) => `${end.mails} ${end.state}`).join(", ")}; ${seconds.toFixed(0)} s; ` +
    `a worker took ${peakMb.toFixed(0)} MB at the most, Redis ${redisMb.toFixed(0)} MB\n` +
    `${isGood ? "Each exactly once." : "Not as it should be."}`,
);

isClosing = true;
for (const child of children) child.kill("SIGKILL");
client.disconnect();
probe.close();
await Promise.all([db.destroy(), smtp.close()]);
await Promise.all([postgres.stop(), redis.stop()]);
removePostgres(dataDirectory);
rmSync(directory, { recursive: true, force: true });
await watchdog.release();
process.exit(isGood ? 0 : 1);

function say(text: string) {
  process.stdout.write(`${text}\n`);
}

async function startWorker(): Promise<void> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["--max-semi-space-size=4", "--import", "tsx", "src/workers/main.ts"], {
    env: {
      ...{
        PATH,
        HOME,
        ENVIRONMENT: "local",
        LOG_LEVEL: "error",
        HOST: "127.0.0.1",
        OPS_PORT: "0",
        WORKER_QUEUES: "mail,maintenance",
      },
      ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url },
      ...{ S3_BUCKET_NAME: "chaos", S3_ACCESS_KEY: "chaos", S3_SECRET_KEY: "chaos" },
      ...{ SMTP_HOST: "127.0.0.1", SMTP_PORT: String(smtp.port), SMTP_SECURITY: "none", MAIL_PROBE_URL: probe.url },
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.add(child);
  const watched = watchProcess(() => child.pid);
  child.once("exit", () => {
    children.delete(child);
    peakMb = Math.max(peakMb, watched.stop().peakMb);
    if (!isClosing) void startWorker();
  });
  await Promise.race([once(child, "message"), once(child, "exit")]);
}

/** Readers, and the list that the mails link to, so that no worker has to make it. */
async function addReaders({ manager }: DataSource) {
  await manager.query(
    `INSERT INTO users (id, email, first_name, last_name, mailing, customer_type)
     SELECT gen_random_uuid(), 'reader' || n || '@test.example', 'A', 'B', true, 'USER_WHOLESALE'
     FROM generate_series(1, $1::int) n`,
    [readers],
  );
  const id = randomUUID();
  const list = { ...publicPriceList(businessDay(new Date())), fileName: "list.xlsx", requestedBy: null };
  await documents.insert(manager, { id, ...list, sourceHash: null });
  const file = { objectKey: "list.xlsx", contentType: "application/octet-stream", bytes: 1, sha256: "0".repeat(64) };
  await manager.update(Document, { id }, { ...file, readyAt: new Date() });
}
