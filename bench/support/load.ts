import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

/** What a server did under load. */
export interface Load {
  perSecond: number;
  /** Milliseconds that the client saw. */
  p50: number;
  p95: number;
  p99: number;
  /** CPU time of the server process for one request; the client shares its cores, so this is the fairer figure. */
  cpuMicros: number;
  /** The same of Postgres; 0 when it was not asked for. */
  postgresMicros: number;
  failed: number;
}

export interface Server {
  url: string;
  pid: number;
  /** May be called again. */
  stop(): Promise<void>;
}

/** Runs a compiled program as a server of its own; it says `"port":…` when it listens. */
export async function startServer(file: string, env: Record<string, string>): Promise<Server> {
  const child = spawn(process.execPath, ["--max-semi-space-size=4", file], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await addressOf(child);
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      // What it says later is read, so that it can go on, and forgotten.
      if (output.length < 100_000) output += text;
      const [, port] = /"port":(\d+)/.exec(output) ?? [];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
    child.once("exit", (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
}

export interface LoadOptions {
  connections: number;
  seconds: number;
  headers?: Record<string, string>;
  /** One after the other, over and over; the URL's own path otherwise. */
  paths?: string[];
  /** Process id of the Postgres whose CPU time counts too. */
  postgres?: number;
}

/** Sends requests for so many seconds, after a second to warm up; throws when the server answers with errors. */
export async function loadOf({ url, pid }: Server, path: string, options: LoadOptions): Promise<Load> {
  const { connections, seconds, headers = {}, paths = [path], postgres } = options;
  const requests = paths.map((one) => ({ path: one, headers }));
  const base = { url, connections, requests };
  await autocannon({ ...base, duration: 1 });
  const before = cpuSeconds(pid);
  const postgresBefore = familySeconds(postgres);
  const latencies: number[] = [];
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon({ ...base, duration: seconds }, (error, done) => (error ? reject(error) : resolve(done)));
    run.on("response", (_client, _status, _bytes, ms) => void latencies.push(ms));
  });
  const cpu = cpuSeconds(pid) - before;
  const postgresCpu = familySeconds(postgres) - postgresBefore;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN;
  const done = latencies.length;
  const failed = result.errors + result["4xx"] + result["5xx"];
  if (failed > 0) throw new Error(`${failed} of ${done} requests to ${path} failed`);
  return {
    perSecond: done / result.duration,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    cpuMicros: (cpu / done) * 1e6,
    postgresMicros: (postgresCpu / done) * 1e6,
    failed,
  };
}

const ticksPerSecond = 100;

function cpuSeconds(pid: number) {
  const { user, system } = times(pid);
  return (user + system) / ticksPerSecond;
}

/** CPU time of a process and of its children, those that have ended too. */
function familySeconds(pid: number | undefined) {
  if (pid === undefined) return 0;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  const { endedUser, endedSystem } = times(pid);
  const ended = (endedUser + endedSystem) / ticksPerSecond;
  return [pid, ...children.map(Number)].reduce((sum, one) => sum + cpuSeconds(one), ended);
}

function times(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
  return { user, system, endedUser, endedSystem };
}

/** Resident memory of a process at its highest, in MB. */
export function peakMb(pid: number) {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}
