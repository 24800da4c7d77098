import { rmSync } from "node:fs";
import { join } from "node:path";
import { queueNames } from "../../src/jobs/queues.ts";
import { compile } from "./compile.ts";
import { say, step } from "./console.ts";
import { environmentOf, type Variables } from "./environment.ts";
import type { GivenServers } from "./given-servers.ts";
import { writeJson } from "./json-file.ts";
import { startNode } from "./node-process.ts";
import { paths } from "./paths.ts";
import { choosePorts } from "./ports.ts";
import { type DemoOptions, loadDemo, migrate } from "./prepare.ts";
import { readSecrets } from "./secrets.ts";
import { startServers } from "./servers.ts";
import { type Addresses, describe, summary } from "./summary.ts";
import type { Supervisor } from "./supervisor.ts";
import { variables } from "./variables.ts";

/** As the images start them (Dockerfile.api says why). */
const nodeArguments = ["--max-semi-space-size=4"];

export interface BringUpOptions {
  apiPort: number;
  demo: DemoOptions;
  given: GivenServers;
  supervisor: Supervisor;
  signal: AbortSignal;
}

/** Brings the whole stack up and says where it is; throws when a part of it does not start. */
export async function bringUp({ apiPort, demo, given, supervisor, signal }: BringUpOptions): Promise<void> {
  const secrets = readSecrets(paths.secrets);
  const ports = await choosePorts(paths.ports, apiPort, say);
  const surroundings = { signal, helpers: () => Object.values(supervisor.pids()), watch: supervisor.watch };
  const compiled = compile(surroundings);
  const servers = startServers({ given, ports, apiPort, secrets, supervisor });

  const [databaseUrl] = await Promise.all([servers.databaseUrl, compiled]);
  await migrate({ DATABASE_URL: databaseUrl }, surroundings);
  const [redisUrl, s3] = await Promise.all([servers.redisUrl, servers.s3]);
  const [smtp, identity, cards] = await Promise.all([servers.smtp, servers.identity, servers.cards]);
  const api = `http://127.0.0.1:${apiPort}`;
  const addresses: Addresses = { api, databaseUrl, redisUrl, s3, smtp, identity, cards, secrets };
  const values = variables(apiPort, addresses);
  await loadDemo(values, demo, surroundings);
  const workers = queueNames.map((queue) => startWorker(queue, values, supervisor));
  await Promise.all([startApi(values, supervisor), ...workers]);
  await announce(addresses, supervisor);
}

async function startApi(values: Variables, supervisor: Supervisor): Promise<void> {
  const env = environmentOf("api", values);
  await supervisor.keep("api", "apps", (hooks) =>
    startNode(join(paths.build, "api/main.js"), env, hooks, nodeArguments),
  );
  step("API is ready");
}

async function startWorker(queue: string, values: Variables, supervisor: Supervisor): Promise<void> {
  const env = environmentOf("worker", { ...values, WORKER_QUEUES: queue });
  const file = join(paths.build, "workers/main.js");
  await supervisor.keep(`worker-${queue}`, "apps", (hooks) => startNode(file, env, hooks, nodeArguments));
  step(`worker of queue ${queue} is ready`);
}

async function announce(addresses: Addresses, supervisor: Supervisor): Promise<void> {
  const description = await describe(addresses);
  const publish = () => {
    writeJson(paths.stack, { ...description, pids: { supervisor: process.pid, ...supervisor.pids() } });
  };
  supervisor.onChange(publish);
  supervisor.atEnd(async () => rmSync(paths.stack, { force: true }));
  publish();
  step("all is ready");
  console.log(summary(description, paths.stack));
}
