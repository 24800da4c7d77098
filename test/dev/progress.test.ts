import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../../dev/services/processes.ts";
import { parsePs, watchProgress } from "../../dev/services/progress.ts";
import { exitOf, killGroup } from "../../dev/services/service.ts";
import { untilReady } from "../../dev/services/until-ready.ts";
import { whySlow } from "../../dev/stack/waiting.ts";

const children: ChildProcess[] = [];
afterEach(async () => {
  const ends = children.splice(0).map((child) => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    // A shell may have ended before what it started.
    killGroup(child.pid ?? 0);
    return ended;
  });
  await Promise.all(ends);
});

function start(...command: [string, ...string[]]): ChildProcess {
  const [program, ...args] = command;
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  children.push(child);
  return child;
}

/** Works a little every now and then, for so many rounds, below a shell: most of its time it sleeps. */
const inSmallPieces = (rounds: number) =>
  start(
    "/bin/sh",
    "-c",
    `
    (n=0; while [ $n -lt ${rounds} ]; do n=$((n + 1)); i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done; sleep 0.1; done)
    echo ready now`,
  );

const limitMs = 1_500;

describe("a process that starts", () => {
  test("has as long as it needs while it uses the processor, be it a child that does", async () => {
    const began = performance.now();
    const child = inSmallPieces(20);
    await untilReady(child, { name: "slow", line: /ready now/, noProgressMs: limitMs });
    expect(performance.now() - began, "longer than it may stand still").toBeGreaterThan(limitMs);
  });

  test("has as long as it needs while it writes, or sends messages", async () => {
    const script = `
      let n = 0;
      setInterval(() => { if (++n === 8) process.send("ready"); else if (n % 2) console.log(n); else process.send(n); }, ${limitMs / 3})`;
    const child = start(process.execPath, "-e", script);
    await expect(untilReady(child, { name: "talker", noProgressMs: limitMs })).resolves.toBeUndefined();
  });

  test("is killed when it stands still, and it is said who did it, and by which limit", async () => {
    const child = start("/bin/sh", "-c", "echo I wait; sleep 3600");
    const exited = exitOf(child);
    const waiting = untilReady(child, { name: "sleeper", line: /ready/, noProgressMs: limitMs });
    await expect(waiting).rejects.toThrow(
      /^sleeper was killed by the stack: for 1\.5 s it has neither used .* \(limit noProgressMs in .*\)\nI wait$/,
    );
    expect(await exited).toMatch(/^SIGKILL/);
  });

  test("that another program kills is not said to have been killed by the stack", async () => {
    const child = start("/bin/sh", "-c", "sleep 3600");
    const waiting = untilReady(child, { name: "victim", line: /ready/, noProgressMs: limitMs });
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await expect(waiting).rejects.toThrow(
      "victim ended before it was ready (SIGKILL, which the stack did not send; the system does that when memory runs out)",
    );
  });

  test("and is ready in the moment in which its time is over stays alive", async () => {
    const child = start(
      process.execPath,
      "-e",
      "setTimeout(() => process.send('ready'), 300); setInterval(() => {}, 1e6)",
    );
    const exited = exitOf(child);
    const waiting = untilReady(child, { name: "just", noProgressMs: limitMs });
    // This process stands still, as on a busy machine, until both the limit is over and the message lies in the pipe.
    const until = performance.now() + 2 * limitMs;
    while (performance.now() < until);
    await waiting;
    expect(await Promise.race([exited, sleep(2 * limitMs, "alive")])).toBe("alive");
  });

  test("that finds its port taken is told in a sentence", async () => {
    const child = start("/bin/sh", "-c", "echo '# could not bind 127.0.0.1:24680: Address already in use'; exit 1");
    await expect(untilReady(child, { name: "Redis", line: /ready now/ })).rejects.toThrow(
      "Redis ended before it was ready: port 24680 was taken by another program meanwhile. Start again:",
    );
  });
});

describe("a program that is run to its end", () => {
  test("is given up when neither it nor its helpers make progress", async () => {
    const { ok, output } = await run("/bin/sh", ["-c", "exec sleep 3600"], { noProgressMs: limitMs });
    expect([ok, output]).toEqual([false, expect.stringContaining("/bin/sh was killed by the stack: for 1.5 s")]);
  });

  test("may wait for its helpers as long as those do something", async () => {
    const helper = inSmallPieces(1_000);
    const began = performance.now();
    const args = ["-c", `exec sleep ${(2 * limitMs) / 1_000}`];
    const { ok } = await run("/bin/sh", args, { noProgressMs: limitMs, helpers: () => [helper.pid ?? 0] });
    expect(ok).toBe(true);
    expect(performance.now() - began).toBeGreaterThan(limitMs);
  });
});

test("a watch that has ended makes no calls", async () => {
  let calls = 0;
  const { end } = watchProgress({ pids: () => [], limitMs: 50, stuck: () => calls++ });
  end();
  await sleep(200);
  expect(calls).toBe(0);
});

test("the table of ps is read where there is no /proc", () => {
  expect(parsePs("    1     0 0:01.25\n  20     1 2:00:03\n\n")).toEqual([
    { pid: 1, parent: 0, time: 1.25 },
    { pid: 20, parent: 1, time: 7_203 },
  ]);
});

test("why it takes long is said with the load", () => {
  expect(whySlow([34.21], 2)).toBe("this machine is busy: load 34.2 on 2 processors");
  expect(whySlow([0.4], 1)).toBe("this machine may be slow or short of memory: load 0.4 on 1 processor");
});
