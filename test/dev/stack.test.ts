import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { commandOf } from "../../dev/services/processes.ts";
import { freePort } from "../../dev/services/service.ts";
import type { StackFile } from "../../dev/stack/summary.ts";

const directory = join(inject("directory"), "stack");
const stackFile = join(directory, "stack.json");
/** Whole process trees come up and go down here, maybe on a busy machine. */
const patience = 60_000;
const soon = { timeout: 20_000, interval: 50 };
/** A first start compiles, makes a database and draws pictures. */
const inTheEnd = { ...soon, timeout: 40_000 };

function startStack(env: Record<string, string>, ...flags: string[]): ChildProcess {
  const args = ["--import", "tsx", "dev/stack.ts", ...flags];
  return spawn(process.execPath, args, {
    // The servers of the person who runs the tests are none of our business.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, STACK_DIRECTORY: directory, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function refusal(env: Record<string, string>, ...flags: string[]) {
  const child = startStack(env, ...flags);
  const [output, [code]] = await Promise.all([text(child.stderr as Readable), once(child, "exit")]);
  return { code: code as number, output };
}

function readStack(): StackFile {
  return JSON.parse(readFileSync(stackFile, "utf8")) as StackFile;
}

async function isReady(): Promise<boolean> {
  const answer = await fetch(`${readStack().api}/-/health-checks/readiness`).catch(() => undefined);
  return answer?.ok ?? false;
}

/** Kills a process of the stack and waits until there is another one and everything works again. */
async function kill(name: string) {
  const before = readStack().pids[name] ?? 0;
  process.kill(before, "SIGKILL");
  await vi.waitFor(async () => {
    expect(readStack().pids[name] ?? before).not.toBe(before);
    expect(await isReady()).toBe(true);
  }, soon);
}

describe("npm start", () => {
  let stack: ChildProcess;
  let port: string;
  let pids: number[] = [];

  async function start(...flags: string[]) {
    stack = startStack({ PORT: port }, ...flags);
    const output: string[] = [];
    stack.stdout?.on("data", (chunk) => output.push(String(chunk)));
    stack.stderr?.on("data", (chunk) => output.push(String(chunk)));
    await vi.waitFor(() => {
      if (stack.exitCode !== null) throw new Error(output.join(""));
      expect(existsSync(stackFile) && readStack().pids.supervisor, output.join("")).toBe(stack.pid);
    }, inTheEnd);
    pids = Object.values(readStack().pids);
    return output.join("");
  }

  async function categories(role: "admin" | "employee") {
    const { api, tokens } = readStack();
    const headers = { authorization: `Bearer ${tokens?.[role]}` };
    return (await fetch(`${api}/categories`, { headers })).json();
  }

  beforeAll(async () => {
    port = String(await freePort());
    await start("--fresh");
  }, patience);
  afterAll(() => void stack.kill("SIGKILL"));

  test("says where everything is", async () => {
    const { api, s3, databaseUrl } = readStack();
    expect(api).toBe(`http://127.0.0.1:${port}`);
    expect(await isReady()).toBe(true);
    expect(await categories("employee")).toMatchObject({ total: 0 });
    const origin = "http://localhost:3000";
    const shown = await fetch(`${api}/offers/search/text_search?search_term=a`, { headers: { origin } });
    expect(shown.headers.get("access-control-allow-origin"), "a front end in development may call").toBe(origin);
    expect((await fetch(`${s3.publicUrl}/images/none.webp`)).status).toBe(404);
    const client = new pg.Client(databaseUrl);
    await client.connect();
    const { rows } = await client.query("SELECT count(*)::int AS users FROM users").finally(() => client.end());
    expect(rows).toEqual([{ users: 5 }]);
  });

  test("starts again what has died", { timeout: patience }, async () => {
    for (const name of ["api", "worker-images", "s3", "redis", "postgres"]) await kill(name);
    pids = Object.values(readStack().pids);
  });

  test("refuses to run twice on one checkout, or with a port that is taken", async () => {
    expect(await refusal({ PORT: port })).toMatchObject({ code: 1, output: expect.stringContaining("runs already") });
    const elsewhere = { PORT: port, STACK_DIRECTORY: `${directory}-2` };
    expect(await refusal(elsewhere)).toMatchObject({
      code: 1,
      output: expect.stringContaining(`Port ${port} is taken`),
    });
  });

  test("leaves no process behind when it is killed with -9, and starts again at once on the same addresses", {
    timeout: patience,
  }, async () => {
    const { s3 } = readStack();
    const killed = pids;
    stack.kill("SIGKILL");
    const output = await start("--catalogue=small");
    expect(killed.filter((pid) => commandOf(pid))).toEqual([]);
    expect(readStack().s3).toEqual(s3);
    expect(output).toContain("--catalogue counts only where there is no data yet");
    expect(await categories("admin")).toMatchObject({ total: 0 });
  });

  test("stops everything at SIGTERM and is deaf to the second one", async () => {
    const ended = once(stack, "exit");
    stack.kill("SIGTERM");
    stack.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(pids.filter((pid) => commandOf(pid))).toEqual([]);
    expect(existsSync(stackFile)).toBe(false);
  });

  test("loads the demo shop that is asked for in place of what was there", { timeout: patience }, async () => {
    await start("--fresh", "--catalogue=small");
    expect(await categories("employee")).toMatchObject({ total: 23 });
    const ended = once(stack, "exit");
    stack.kill("SIGTERM");
    await ended;
  });
});

test.each(["--frehs", "--catalogue=huge"])("refuses %s with exit code 64", async (flag) => {
  const [word = ""] = flag.match(/\w+$/) ?? [];
  expect(await refusal({}, flag)).toMatchObject({ code: 64, output: expect.stringContaining(word) });
});

test("names everything that is missing beside a given S3", async () => {
  const { code, output } = await refusal({ S3_ENDPOINT_URL: "http://s3.example.com", S3_BUCKET_NAME: "photos" });
  expect(code).toBe(1);
  expect(output).toMatch(/S3_ACCESS_KEY, S3_SECRET_KEY/);
});
