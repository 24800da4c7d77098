import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";

/** Process ids by the way they have to be stopped; processes of `apps` get up to three seconds before the others. */
export interface Watched {
  /** SIGTERM, first. */
  apps?: number[];
  /** SIGTERM. */
  services?: number[];
  /** SIGINT: PostgreSQL's fast shutdown. */
  databases?: number[];
}

export interface Watchdog {
  pid: number;
  /** Replaces the list of what is to be stopped when this process dies. */
  watch(list: Watched): void;
  /** Ends the watchdog; it stops and deletes nothing. */
  release(): Promise<void>;
}

/** A shell, because it starts in 2 ms, needs 1 MB, and works when `node_modules` is gone. */
const script = `
trap '' INT TERM HUP
apps= services= databases=
while read -r kind pids; do
  case $kind in
    apps) apps=$pids ;;
    services) services=$pids ;;
    databases) databases=$pids ;;
  esac
done
alive() {
  kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}
any_alive() {
  for pid; do alive "$pid" && return 0; done
  return 1
}
wait_for() {
  turns=$1
  shift
  while [ "$turns" -gt 0 ] && any_alive "$@"; do
    sleep 0.1
    turns=$((turns - 1))
  done
}
[ -z "$apps" ] || kill -TERM $apps 2>/dev/null
wait_for 30 $apps
[ -z "$services" ] || kill -TERM $services 2>/dev/null
[ -z "$databases" ] || kill -INT $databases 2>/dev/null
wait_for 20 $apps $services $databases
for pid in $apps $services $databases; do
  if alive "$pid"; then kill -s KILL -- "-$pid" 2>/dev/null || kill -s KILL "$pid" 2>/dev/null; fi
done
[ "$#" -eq 0 ] || rm -rf -- "$@"
`;

/**
 * Starts a small process that outlives this one, however it ends (`kill -9` too), and then stops all that it was told
 * to watch and deletes the given folders.
 */
export function startWatchdog(folders: string[] = []): Watchdog {
  const child = spawn("/bin/sh", ["-c", script, "tcf-watchdog", ...folders], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(child, "exit");
  child.stdin.on("error", () => {});
  (child.stdin as Socket).unref();
  child.unref();
  const watch = ({ apps = [], services = [], databases = [] }: Watched) => {
    child.stdin.write(`apps ${apps.join(" ")}\nservices ${services.join(" ")}\ndatabases ${databases.join(" ")}\n`);
  };
  return {
    pid: child.pid ?? 0,
    watch,
    async release() {
      child.ref();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
