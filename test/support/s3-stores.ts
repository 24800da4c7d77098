import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import dns from "node:dns";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createS3Server } from "../../dev/s3/server.ts";
import { freePort, stopProcess } from "../../dev/services/service.ts";
import { installSide } from "../../scripts/side-packages.ts";

/** An S3 server with one empty bucket. */
export interface S3Store {
  /** On 127.0.0.1; the bucket is also in the hosts below `s3.localhost`, where the server can do that. */
  port: number;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<unknown>;
}

const bucket = "test";
const keys = { accessKeyId: "access-key", secretAccessKey: "secret-key" };

/** The server of `npm start`. */
export async function startOwnS3(directory: string): Promise<S3Store> {
  const credentials = { [keys.accessKeyId]: keys.secretAccessKey };
  const server = createS3Server({ directory, credentials, buckets: [bucket], publicPrefixes: [] });
  const port = await freePort();
  await once(server.listen(port, "127.0.0.1"), "listening");
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { port, bucket, ...keys, stop };
}

/** s3rver of npm: each object is a file. */
export async function startS3rver(directory: string): Promise<S3Store> {
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const program = join(installSide("tools/s3"), "s3rver", "bin", "s3rver.js");
  const options = ["-d", directory, "-a", "127.0.0.1", "-p", String(port), "--service-endpoint", "localhost"];
  const child = spawn(process.execPath, [program, ...options, "--configure-bucket", bucket], { stdio: "ignore" });
  await untilAnswers(port, child);
  const stop = () => stopProcess(child, "SIGTERM");
  return { port, bucket, accessKeyId: "S3RVER", secretAccessKey: "S3RVER", stop };
}

interface Fauxqs {
  startFauxqs(options: object): Promise<{ port: number; stop(): Promise<void> }>;
}

/** fauxqs of npm, an emulator that keeps all in memory and checks no signature. */
export async function startFauxqs(): Promise<S3Store> {
  const module = pathToFileURL(join(installSide("tools/s3"), "fauxqs", "dist", "app.js")).href;
  const server = await ((await import(module)) as Fauxqs).startFauxqs({ port: await freePort(), logger: false });
  const store = { port: server.port, bucket, ...keys, stop: () => server.stop() };
  await makeBucket(store);
  return store;
}

/** True where Ceph's programs are installed (Debian: ceph-common ceph-mon ceph-osd radosgw). */
export const hasRadosgw = ["radosgw", "ceph-mon", "ceph-osd", "ceph"].every(
  (program) => spawnSync(program, ["--version"]).error === undefined,
);

/** Ceph's radosgw on a cluster of one monitor and one OSD that keeps all in memory. */
export async function startRadosgw(folder: string): Promise<S3Store> {
  for (const name of ["mon", "osd", "run"]) mkdirSync(join(folder, name), { recursive: true });
  const [monitor, port] = [await freePort(), await freePort()];
  const id = randomUUID();
  const configuration = join(folder, "ceph.conf");
  writeFileSync(configuration, radosConfiguration(folder, { id, monitor, port }));
  const run = (program: string, ...args: string[]) => {
    const { status, stderr, stdout } = spawnSync(program, ["-c", configuration, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`);
    return stdout.trim();
  };
  const keyring = join(folder, "keyring");
  run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
  const rights = ["mon", "osd"].flatMap((part) => ["--cap", part, "allow *"]);
  run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", ...rights);
  const map = join(folder, "monmap");
  run("monmaptool", "--create", "--fsid", id, "--addv", "a", `[v1:127.0.0.1:${monitor}]`, map);
  run("ceph-mon", "-i", "a", "--mkfs", "--monmap", map, "--keyring", keyring);

  const children: ChildProcess[] = [];
  const start = (program: string, ...args: string[]) => {
    const child = spawn(program, ["-c", configuration, "-f", ...args], { stdio: "ignore", detached: true });
    children.push(child);
    return child;
  };
  start("ceph-mon", "-i", "a");
  const osd = run("ceph", "--connect-timeout", "60", "osd", "create");
  run("ceph-osd", "-i", osd, "--mkfs");
  start("ceph-osd", "-i", osd);
  run("ceph", "osd", "crush", "add", `osd.${osd}`, "1.0", "root=default", "host=here");
  const gateway = start("radosgw", "-n", "client.rgw");
  await untilAnswers(port, gateway);
  const user = ["--uid=test", "--display-name=test", `--access-key=${keys.accessKeyId}`];
  run("radosgw-admin", "user", "create", ...user, `--secret-key=${keys.secretAccessKey}`);
  const store = {
    port,
    bucket,
    ...keys,
    stop: () => Promise.all(children.reverse().map((child) => stopProcess(child, "SIGKILL"))),
  };
  await makeBucket(store);
  return store;
}

function radosConfiguration(folder: string, { id, monitor, port }: { id: string; monitor: number; port: number }) {
  return `[global]
fsid = ${id}
mon host = v1:127.0.0.1:${monitor}/0
mon initial members = a
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd pool default pg num = 4
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
mon data avail crit = 1
mon data = ${folder}/mon
osd data = ${folder}/osd
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
pid file = ${folder}/run/$name.pid
log file = ${folder}/$name.log
keyring = ${folder}/keyring
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw dns name = s3.localhost
`;
}

/** Lets this process find 127.0.0.1 under every name below `localhost`, where the system does not; returns the end of it. */
export function resolveLocalhost(): () => void {
  const { lookup } = dns;
  const local = ((name: string, options: object, done: never) =>
    lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, options, done)) as typeof lookup;
  dns.lookup = local;
  return () => {
    dns.lookup = lookup;
  };
}

async function makeBucket({ port, bucket: Bucket, accessKeyId, secretAccessKey }: S3Store) {
  const account = { region: "us-east-1", credentials: { accessKeyId, secretAccessKey } };
  const client = new S3Client({ endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, ...account });
  await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
}

async function untilAnswers(port: number, child: ChildProcess) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The S3 server ended with exit code ${child.exitCode}`);
    const isThere = await fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
