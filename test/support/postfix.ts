import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../dev/services/service.ts";
import type { ServerCertificate } from "./tls.ts";

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** True where Debian's postfix is installed and this process is root, as which its master has to run. */
export const canRunPostfix =
  process.getuid?.() === 0 && spawnSync("postconf", ["-d", "mail_version"], { env }).status === 0;

export interface PostfixOptions<N extends string> {
  /** Ports, by a name, each with settings that differ from `settings`. */
  services: Record<N, Record<string, string>>;
  /** Lines of main.cf that replace the usual ones or come to them. */
  settings?: Record<string, string>;
  /** Absent: it has no TLS. */
  certificate?: ServerCertificate;
  /** Absent: it takes no logins. */
  login?: { user: string; pass: string };
}

/**
 * Starts Debian's postfix with files of its own: it keeps mail to `test.example`, relays only after a login, and
 * throws away what it relays. Nothing of it is left after `stop`. Throws with its last output when it does not start.
 */
export async function startPostfix<N extends string>(options: PostfixOptions<N>) {
  // Its processes drop their rights, and have to pass through the folder.
  const folder = mkdtempSync(join(tmpdir(), "tcf-postfix-"));
  chmodSync(folder, 0o755);
  const path = (name: string) => join(folder, name);
  const owner = ids();
  for (const name of ["etc", "queue", "data", "boxes"]) mkdirSync(path(name));
  for (const name of ["data", "boxes"]) chownSync(path(name), owner.uid, owner.gid);
  const logins = options.login && (await startLogins(options.login));

  const names = Object.keys(options.services) as N[];
  const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()]))) as Record<
    N,
    number
  >;
  const main = { ...usual(folder, owner), ...tls(options.certificate), ...sasl(logins?.port), ...options.settings };
  writeFileSync(path("etc/main.cf"), linesOf(main, " = "));
  const services = names.map((name) => {
    const overrides = Object.entries(options.services[name]).map(([key, value]) => ` -o { ${key} = ${value} }`);
    return `127.0.0.1:${ports[name]} inet n - n - - smtpd${overrides.join("")}`;
  });
  writeFileSync(path("etc/master.cf"), [...services, ...daemons, ""].join("\n"));

  const postfix = ["-c", path("etc")];
  // A file, because postfix opens its standard output by name, which sockets do not permit.
  const log = openSync(path("log"), "a");
  const child = spawn("postfix", [...postfix, "start-fg"], { env, detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  const exit = once(child, "exit");
  const stop = async () => {
    spawnSync("postfix", [...postfix, "stop"], { env, stdio: "ignore" });
    await exit;
    logins?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const end = new AbortController();
  void exit.then(() => end.abort());
  for (const port of Object.values<number>(ports)) {
    await untilGreeted(port, end.signal).catch(async (error: unknown) => {
      const said = readFileSync(path("log"), "utf8");
      await stop();
      throw new Error(`Postfix did not start: ${said}`, { cause: error });
    });
  }
  return {
    ports,
    /** What it has written to its log. */
    log: () => readFileSync(path("log"), "utf8"),
    /** The mails that it keeps, as they came. */
    mails: () => filesBelow(path("boxes")).map((file) => readFileSync(file, "utf8")),
    stop,
  };
}

export type Postfix<N extends string> = Awaited<ReturnType<typeof startPostfix<N>>>;

/** Waits until a server greets at this port; throws at the signal. */
async function untilGreeted(port: number, signal: AbortSignal) {
  while (!(await greets(port))) await sleep(50, undefined, { signal });
}

async function greets(port: number) {
  const socket = connect(port, "127.0.0.1");
  try {
    const [greeting] = await once(socket, "data");
    return String(greeting).startsWith("220");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const ids = () => {
  const id = (flag: string) => Number(execFileSync("id", [flag, "postfix"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
};

const linesOf = (settings: Record<string, string>, equals: string) =>
  Object.entries(settings)
    .map(([name, value]) => `${name}${equals}${value}\n`)
    .join("");

const usual = (folder: string, { uid, gid }: { uid: number; gid: number }): Record<string, string> => ({
  compatibility_level: "3.6",
  queue_directory: join(folder, "queue"),
  data_directory: join(folder, "data"),
  maillog_file: "/dev/stdout",
  inet_interfaces: "127.0.0.1",
  inet_protocols: "ipv4",
  myhostname: "mail.test",
  mydestination: "",
  mynetworks: "",
  alias_maps: "",
  local_recipient_maps: "",
  smtpd_peername_lookup: "no",
  disable_dns_lookups: "yes",
  // Clients of 127.0.0.0/8 would be exempt from limits.
  smtpd_client_event_limit_exceptions: "",
  virtual_mailbox_domains: "test.example, xn--80a1acny.test",
  virtual_mailbox_base: join(folder, "boxes"),
  virtual_mailbox_maps: "static:all/",
  virtual_uid_maps: `static:${uid}`,
  virtual_gid_maps: `static:${gid}`,
  virtual_minimum_uid: "1",
  default_transport: "discard:",
  relay_transport: "discard:",
});

const tls = (certificate: ServerCertificate | undefined): Record<string, string> =>
  certificate
    ? {
        smtpd_tls_security_level: "may",
        smtpd_tls_cert_file: certificate.certFile,
        smtpd_tls_key_file: certificate.keyFile,
      }
    : {};

const sasl = (port: number | undefined): Record<string, string> =>
  port === undefined
    ? {}
    : {
        smtpd_sasl_auth_enable: "yes",
        smtpd_sasl_type: "dovecot",
        smtpd_sasl_path: `inet:127.0.0.1:${port}`,
        smtpd_tls_auth_only: "yes",
      };

const daemons = [
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "proxymap unix - - n - - proxymap",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "virtual unix - n n - - virtual",
  "smtp unix - - n - - smtp",
  "discard unix - - n - - discard",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "anvil unix - - n - 1 anvil",
  "postlog unix-dgram n - n - 1 postlogd",
];

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.endsWith("new"))
    .map((entry) => join(entry.parentPath, entry.name));

/** Checks logins for postfix, by the protocol of Dovecot's authentication service (version 1.1). */
async function startLogins({ user, pass }: { user: string; pass: string }) {
  const right = Buffer.from(`\0${user}\0${pass}`).toString("base64");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.write("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef\nDONE\n");
    createInterface({ input: socket }).on("line", (line) => {
      const [command, id, ...fields] = line.split("\t");
      if (command !== "AUTH") return;
      const isRight = fields.includes(`resp=${right}`);
      socket.write(isRight ? `OK\t${id}\tuser=${user}\n` : `FAIL\t${id}\tuser=${user}\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
