import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, copyFileSync, mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { droppedUser } from "../../dev/services/dropped-user.ts";
import { startPostgres } from "../../dev/services/postgres.ts";
import { eachLine, freePort, stopProcess } from "../../dev/services/service.ts";
import { untilReady } from "../../dev/services/until-ready.ts";
import type { ServerCertificate } from "./tls.ts";

/** True where Debian's redis-server is installed: the one that npm brings may lack TLS. */
export const hasRedisServer = spawnSync("redis-server", ["--version"]).error === undefined;

/** A PostgreSQL of its own that also takes TLS; its address has no `sslmode` yet. */
export async function startTlsPostgres(folder: string, { keyFile, certFile }: ServerCertificate) {
  const { ids } = droppedUser();
  const files = join(folder, "certificates");
  mkdirSync(files, { recursive: true });
  const [key, cert] = [join(files, "key.pem"), join(files, "cert.pem")];
  copyFileSync(keyFile, key);
  copyFileSync(certFile, cert);
  // Postgres takes a key that only its own user may read.
  if (ids.uid !== undefined && ids.gid !== undefined) for (const one of [key, cert]) chownSync(one, ids.uid, ids.gid);
  const settings = ["ssl=on", `ssl_cert_file=${cert}`, `ssl_key_file=${key}`];
  return startPostgres({ dataDirectory: join(folder, "postgres"), fast: true, password: "only-here", settings });
}

/** Debian's Redis, which takes nothing but TLS. */
export async function startTlsRedis(folder: string, { keyFile, certFile }: ServerCertificate) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const settings = ["--port 0", `--tls-port ${port}`, "--bind 127.0.0.1", "--save ''", "--appendonly no"];
  const tls = [`--tls-cert-file ${certFile}`, `--tls-key-file ${keyFile}`, "--tls-auth-clients no"];
  const args = [...settings, ...tls].flatMap((setting) => setting.replace("''", "").split(" "));
  const child = spawn("redis-server", args, { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  eachLine(child);
  await untilReady(child, { name: "Redis", line: /Ready to accept connections/ });
  return { url: `rediss://localhost:${port}`, stop: () => stopProcess(child, "SIGTERM") };
}

/** A mail server that offers STARTTLS and takes every mail. */
export async function startTlsSmtp({ key, cert }: ServerCertificate) {
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 50,
    onData: (stream, _session, done) => stream.resume().on("end", () => done()),
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  return {
    port: (server.server.address() as AddressInfo).port,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
