import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createTransport } from "nodemailer";
import { removePostgres, startPostgres } from "../dev/services/postgres.ts";
import { startRedis } from "../dev/services/redis.ts";
import { startWatchdog } from "../dev/services/watchdog.ts";
import { connectDatabase, createDataSource } from "../src/db/data-source.ts";
import { createTransact } from "../src/engine/transaction.ts";
import { requestMails } from "../src/services/mail/mails.ts";
import { compose } from "../src/workers/mail/compose.ts";
import { templates } from "../src/workers/mail/templates/index.ts";
import { machine, markdownTable, median } from "./support/statistics.ts";

export const summary = "mails a second against nodemailer's own pool and Python's smtplib [--rounds 3] [--mails 2000]";

/** Of nodemailer's own pool. */
const goal = 0.5;
const pageSize = 200;
const content = compose(templates.welcome.write.ru(templates.welcome.example), { language: "ru", origins: [] });

type Send = (count: number) => Promise<unknown>;

/** Has each contestant send the same mails to the same sink, in turn; prints a table and whether the goals are reached. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: "string" }, mails: { type: "string" } } });
  const [rounds, count] = [Number(values.rounds ?? 3), Number(values.mails ?? 2_000)];
  const sink = await startSink();
  const ours = await openOurs(sink.port);
  const contestants: Record<string, Send> = {
    "this back end": ours.send,
    "nodemailer's pool": poolOf(sink.port),
    "Python's smtplib": smtplib(sink.port, ours.directory),
  };
  const rates = new Map<string, number[]>();
  try {
    for (const send of Object.values(contestants)) await measured(sink, send, 100);
    for (let round = 0; round < rounds; round++) {
      for (const [name, send] of Object.entries(contestants)) {
        rates.set(name, [...(rates.get(name) ?? []), await measured(sink, send, count)]);
      }
    }
  } finally {
    await ours.close();
    sink.stop();
  }
  report(rates, count, rounds);
}

function report(rates: Map<string, number[]>, count: number, rounds: number) {
  const rows = [...rates].map(([name, of]) => [
    name,
    median(of).toFixed(0),
    of.map((one) => one.toFixed(0)).join(", "),
  ]);
  console.log(`${machine()}; ${count} mails, ${rounds} rounds, medians\n`);
  console.log(markdownTable(["", "mails/s", "each round"], rows));
  const against = (name: string) =>
    median((rates.get("this back end") ?? []).map((rate, round) => rate / (rates.get(name)?.[round] ?? Number.NaN)));
  const [pool, python] = [against("nodemailer's pool"), against("Python's smtplib")];
  const isGood = pool >= goal && python > 1;
  console.log(
    `\nOf nodemailer's pool: ${pool.toFixed(2)} (asked ≥ ${goal}); of smtplib: ${python.toFixed(2)} (asked > 1)`,
  );
  console.log(isGood ? "All goals are reached." : "Not all goals are reached.");
  if (!isGood) process.exitCode = 1;
}

/** Mails a second, from the first promise to the last mail that has arrived. */
async function measured(sink: Sink, send: Send, count: number) {
  const wanted = sink.taken() + count;
  const began = performance.now();
  const sending = send(count);
  await sink.reached(wanted);
  const seconds = (performance.now() - began) / 1_000;
  await sending;
  return count / seconds;
}

type Sink = Awaited<ReturnType<typeof startSink>>;

async function startSink() {
  const child = startNode("bench/support/mail-sink.ts", {});
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  let taken = 0;
  let wake = () => {};
  child.on("message", (count: number) => {
    taken = count;
    wake();
  });
  return {
    port,
    taken: () => taken,
    async reached(wanted: number) {
      while (taken < wanted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    stop: () => child.kill("SIGKILL"),
  };
}

function startNode(script: string, env: Record<string, string>): ChildProcess {
  const { PATH, HOME } = process.env;
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as ["ignore", "inherit", "inherit", "ipc"];
  return spawn(process.execPath, ["--import", "tsx", script], { env: { PATH, HOME, ...env }, stdio });
}

/** A worker process of ours with its real settings, and a database, a Redis and the mails' user. */
async function openOurs(smtpPort: number) {
  const directory = mkdtempSync(join(tmpdir(), "tcf-bench-"));
  chmodSync(directory, 0o755);
  const dataDirectory = join(directory, "postgres");
  const watchdog = startWatchdog([directory]);
  const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDirectory, password: "bench" }),
    startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory, password: "bench" }),
  ]);
  watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
  const migrating = await createDataSource(postgres.url, 2, { timeouts: {} }).initialize();
  await migrating.runMigrations();
  await migrating.destroy();
  const db = await connectDatabase(postgres.url, 4);
  const userId = randomUUID();
  const user = [userId, "reader@test.example"];
  await db.query("INSERT INTO users (id, email, first_name, last_name) VALUES ($1, $2, 'Анна', 'Петрова')", user);
  const worker = startNode("src/workers/main.ts", {
    ENVIRONMENT: "local",
    LOG_LEVEL: "warn",
    HOST: "127.0.0.1",
    OPS_PORT: "0",
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    S3_BUCKET_NAME: "bench",
    S3_ACCESS_KEY: "bench",
    S3_SECRET_KEY: "bench",
    WORKER_QUEUES: "mail",
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(smtpPort),
    SMTP_SECURITY: "none",
  });
  await once(worker, "message");
  const transact = createTransact(db, () => undefined);
  let next = 0;
  const page = (size: number) =>
    Array.from({ length: size }, () => {
      const recipient = `reader${next++}@test.example`;
      return { event: "bench", kind: "welcome", recipient, parameters: { userId } } as const;
    });
  return {
    directory,
    async send(count: number) {
      for (let left = count; left > 0; left -= pageSize) {
        const requests = page(Math.min(left, pageSize));
        await transact({ actorId: null, traceId: null }, (tx) => requestMails(tx, requests));
      }
    },
    async close() {
      worker.kill("SIGKILL");
      await db.destroy();
      await Promise.all([postgres.stop(), redis.stop()]);
      removePostgres(dataDirectory);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
    },
  };
}

/** As many connections as it opens by itself (5), and as many mails as it likes at once. */
function poolOf(port: number): Send {
  return async (count) => {
    const transport = createTransport({ pool: true, host: "127.0.0.1", port, ignoreTLS: true });
    const from = "shop@test.example";
    await Promise.all(
      Array.from({ length: count }, (_, n) => transport.sendMail({ ...content, from, to: `reader${n}@test.example` })),
    );
    transport.close();
  };
}

function smtplib(port: number, directory: string): Send {
  const file = join(directory, "mail.json");
  writeFileSync(file, JSON.stringify(content));
  return async (count) => {
    const args = ["bench/support/mail-smtplib.py", String(port), String(count), file];
    const [code] = await once(spawn("python3", args, { stdio: "inherit" }), "exit");
    if (code !== 0) throw new Error(`python3 ended with ${code}`);
  };
}
