import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";

/** True where the program `openssl` is installed; tests that make certificates are skipped elsewhere. */
export const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;

/** Key and certificate of a server, in PEM, and the files they are in. */
export interface ServerCertificate {
  key: string;
  cert: string;
  keyFile: string;
  certFile: string;
}

export type Authority = ReturnType<typeof createAuthority>;

/** A private authority whose files are in `folder`; `file` is what clients have to trust. */
export function createAuthority(folder: string) {
  mkdirSync(folder, { recursive: true });
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const file = path("ca.pem");
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    file,
    "-days",
    "30",
    "-subj",
    "/CN=Private authority",
  );
  let issued = 0;
  return {
    file,
    pem: readFileSync(file, "utf8"),
    /** A certificate for these names, as `DNS:localhost`; with a negative number of days it has expired. */
    issue(names = ["DNS:localhost", "IP:127.0.0.1"], days = 30): ServerCertificate {
      const name = `server-${++issued}`;
      const [keyFile, certFile, request] = [`${name}.key`, `${name}.pem`, `${name}.csr`].map(path) as [
        string,
        string,
        string,
      ];
      const alternative = ["-addext", `subjectAltName=${names.join(",")}`];
      openssl("req", ...newKey, "-keyout", keyFile, "-out", request, "-subj", "/CN=server", ...alternative);
      const signing = ["-CA", file, "-CAkey", "ca.key", "-copy_extensions", "copy", "-days", String(days)];
      openssl("x509", "-req", "-in", request, "-out", certFile, ...signing);
      return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8"), keyFile, certFile };
    },
  };
}

/** A server that ends TLS in front of a port of this machine, as a load balancer does. */
export async function startTlsFront({ key, cert }: ServerCertificate, port: number) {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const server = createServer({ key, cert }, (client) => {
    const inner = connect(port, "127.0.0.1");
    for (const socket of [client, inner]) keep(socket);
    client.on("close", () => inner.destroy());
    inner.on("close", () => client.destroy());
    client.pipe(inner).pipe(client);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
