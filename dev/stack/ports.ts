import { freePort, isPortFree } from "../services/service.ts";
import { readJson, writeJson } from "./json-file.ts";

const names = ["postgres", "redis", "s3", "smtp", "mailbox", "identity", "yookassa"] as const;

export type Ports = Record<(typeof names)[number], number>;

/**
 * Gives each service a port of its own, the one it had before where possible: addresses of pictures and issuers of
 * tokens contain it. What had to move is said.
 */
export async function choosePorts(file: string, apiPort: number, say: (text: string) => void): Promise<Ports> {
  const before = (readJson(file) ?? {}) as Partial<Ports>;
  const taken = new Set([apiPort]);
  const ports = {} as Ports;
  for (const name of names) {
    const kept = before[name];
    const reusable = kept !== undefined && !taken.has(kept) && (await isPortFree(kept));
    ports[name] = reusable ? kept : await choose(taken);
    taken.add(ports[name]);
    if (kept !== undefined && !reusable) say(`port ${kept} of ${name} is taken now; it moves to ${ports[name]}`);
  }
  writeJson(file, ports);
  return ports;
}

async function choose(taken: Set<number>): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (!taken.has(port)) return port;
  }
}
