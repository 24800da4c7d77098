import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface Role {
  /** File of the entry point, from the project's folder. */
  entry: string;
  env: Record<string, string>;
}

export interface Member {
  name: string;
  role: Role;
  child: ChildProcess;
  isReady: boolean;
  /** It is to be there: started again whenever it ends. */
  isWanted: boolean;
  /** The harness itself has ended it. */
  isEnded: boolean;
}

/** An end that the harness did not ask for. */
export interface Death {
  name: string;
  how: string;
  /** False: it could not even start, which it may do while Postgres is unavailable. */
  wasReady: boolean;
  output: string;
}

const respawnMs = 200;

/** Processes of ours: each is started again when it ends, like in a pod. */
export function createFleet({ watch, log }: { watch: (pids: number[]) => void; log: (line: string) => void }) {
  const members = new Map<string, Member>();
  const deaths: Death[] = [];
  const crashes = new Map<string, number>();
  const counts = { starts: 0, kills: 0 };
  const pids = () => [...members.values()].flatMap(({ child }) => child.pid ?? []);

  function launch(name: string, role: Role) {
    const { PATH = "", HOME = "" } = process.env;
    // As the images start them: without it the heap of young objects grows for many minutes.
    const child = spawn(process.execPath, ["--max-semi-space-size=4", "--import", "tsx", role.entry], {
      env: { PATH, HOME, ...role.env },
      // Of its own group, so that the watchdog can end it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    counts.starts++;
    const member: Member = { name, role, child, isReady: false, isWanted: true, isEnded: false };
    members.set(name, member);
    watch(pids());
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-4_000);
        for (const line of text.split("\n")) if (line) log(`${name} ${line}`);
      });
    }
    child.on("message", (message) => {
      if (message === "ready") member.isReady = true;
    });
    child.on("error", () => undefined);
    child.once("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      const [point] = role.env.CRASH_AT?.split(":") ?? [];
      const isCrashPoint = signal === "SIGKILL" && point !== undefined && !member.isEnded;
      if (isCrashPoint) crashes.set(point, (crashes.get(point) ?? 0) + 1);
      if (!member.isEnded && !isCrashPoint) deaths.push({ name, how, wasReady: member.isReady, output });
      member.isReady = false;
      if (members.get(name) === member && member.isWanted) void sleep(respawnMs).then(() => again(member));
    });
    return member;
  }

  const again = (member: Member) => {
    if (member.isWanted && members.get(member.name) === member) launch(member.name, member.role);
  };

  const find = (name: string) => {
    const member = members.get(name);
    if (!member) throw new Error(`There is no process '${name}'`);
    return member;
  };

  const fleet = {
    deaths,
    counts,
    /** How often a process has died at a named point. */
    crashes: (point: string) => crashes.get(point) ?? 0,
    names: (prefix: string) => [...members.keys()].filter((name) => name.startsWith(prefix)),
    find,
    /** Starts one and resolves when it is ready, however often it has to try. */
    async start(name: string, role: Role) {
      launch(name, role);
      await fleet.untilReady(name);
    },
    async untilReady(name: string, timeoutMs = 60_000) {
      for (const end = Date.now() + timeoutMs; !find(name).isReady; await sleep(20)) {
        if (Date.now() > end) throw new Error(`'${name}' was not ready after ${timeoutMs / 1_000} s`);
      }
    },
    /** Kills one as `kill -9` does; it is started again. */
    kill(name: string) {
      const member = find(name);
      member.isEnded = true;
      member.isReady = false;
      counts.kills++;
      member.child.kill("SIGKILL");
    },
    /** Freezes one, and thaws it after so long. */
    async freeze(name: string, ms: number) {
      const { child } = find(name);
      child.kill("SIGSTOP");
      await sleep(ms);
      child.kill("SIGCONT");
    },
    /** Gives one another role at its next start, and asks it to stop; resolves with its exit code. */
    async roll(name: string, role?: Role): Promise<number | null> {
      const member = find(name);
      if (role) member.role = role;
      return end(member, "SIGTERM", true);
    },
    /** Ends one for good. */
    async remove(name: string) {
      const code = await end(find(name), "SIGKILL", false);
      members.delete(name);
      return code;
    },
    /** Asks all to stop, and kills those that do not in time; resolves with the exit codes by name. */
    async stopAll(graceMs = 15_000): Promise<Record<string, string>> {
      const ends = [...members.values()].map(async (member) => {
        const timer = setTimeout(() => member.child.kill("SIGKILL"), graceMs);
        member.child.kill("SIGCONT");
        const code = await end(member, "SIGTERM", false);
        clearTimeout(timer);
        return [member.name, String(code ?? "killed")] as const;
      });
      return Object.fromEntries(await Promise.all(ends));
    },
    /** Memory in MB and open files of each process. */
    use: () =>
      Object.fromEntries(
        [...members.values()].flatMap(({ name, child }) => {
          const use = useOf(child.pid ?? 0);
          return use ? [[name, use] as const] : [];
        }),
      ),
  };
  return fleet;
}

export type Fleet = ReturnType<typeof createFleet>;

async function end(member: Member, signal: NodeJS.Signals, isWanted: boolean): Promise<number | null> {
  member.isWanted = isWanted;
  member.isEnded = true;
  const { child } = member;
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill(signal);
  return ((await exited) as [number | null])[0];
}

export interface Use {
  rssMb: number;
  files: number;
}

function useOf(pid: number): Use | undefined {
  try {
    const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return rss === undefined ? undefined : { rssMb: Number(rss) / 1_024, files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}
