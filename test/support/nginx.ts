import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../dev/services/service.ts";
import type { Manifest } from "./helm.ts";

/** True where Debian's nginx is installed; tests that need it are skipped elsewhere. */
export const hasNginx =
  spawnSync("nginx", ["-v"], { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).error === undefined;

interface IngressPath {
  path: string;
  pathType: "Prefix" | "Exact";
  backend: { service: { name: string } };
}

/**
 * The locations by which the NGINX controller serves the paths of an Ingress: a Prefix is the path itself and all below
 * it, part by part (Kubernetes, "Path types"). A Service without pods answers 503.
 */
export function locationsOf({ spec }: Manifest, backends: Readonly<Record<string, string>>): string {
  const paths = spec.rules.flatMap(({ http }: { http: { paths: IngressPath[] } }) => http.paths) as IngressPath[];
  return paths
    .flatMap(({ path, pathType, backend }) => {
      const address = backends[backend.service.name];
      const does = address ? `proxy_pass http://${address}; proxy_set_header Host $host;` : "return 503;";
      const exact = `location = ${path} { ${does} }`;
      if (path === "/") return [`location / { ${does} }`];
      return pathType === "Exact" ? [exact] : [exact, `location ${path.replace(/\/$/, "")}/ { ${does} }`];
    })
    .join("\n");
}

/** A real nginx with these locations, on a free port of this machine; in a folder of its own. */
export function startNginx(locations: string) {
  return startNginxWith((port) => `server { listen 127.0.0.1:${port};\n${locations}\n}`);
}

/** A real nginx with this content of its `http` block, which listens on the port that it is given. */
export async function startNginxWith(content: (port: number) => string) {
  const folder = mkdtempSync(join(tmpdir(), "tcf-nginx-"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const config = join(folder, "nginx.conf");
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events {}
     http { access_log off; ${temporary.join(" ")}
       ${content(port)} }`,
  );
  const env = { PATH: `${process.env.PATH}:/usr/sbin` };
  const child: ChildProcess = spawn("nginx", ["-p", folder, "-c", config], { env, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null || tries > 600) throw new Error(`nginx did not start; see ${folder}/error.log`);
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  return {
    url,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
