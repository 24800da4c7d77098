import { EventEmitter, once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { closeServer } from "../../../src/api/http/close-server.ts";

/** Long enough for a machine that stands still for a moment. */
const noticeMs = 2_000;

const agents: Agent[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

/** A server that answers when `work` is done, and how many requests it has got. */
async function open(work: () => Promise<unknown>) {
  const seen = { requests: 0 };
  const server = createServer(async (_req, res) => {
    seen.requests += 1;
    await work();
    res.end("done");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  const { port } = server.address() as AddressInfo;
  const ask = (over = agent) =>
    new Promise<string>((done, fail) => {
      get({ port, host: "127.0.0.1", agent: over }, async (answer: IncomingMessage) => {
        for await (const _chunk of answer);
        done(String(answer.headers.connection));
      }).once("error", fail);
    });
  return { server, seen, ask };
}

describe("a server that is closed", () => {
  test("is gone soon, though a caller never pauses, who loses no answer", async () => {
    const { server, seen, ask } = await open(() => sleep(2));
    const answers: string[] = [];
    const calling = (async () => {
      for (;;) answers.push(await ask());
    })().catch((error: NodeJS.ErrnoException) => error.code);
    while (answers.length < 5) await sleep(1);
    await closeServer(server, { noticeMs, drainMs: 60_000 });
    // The next connection is another process's: refused, or reset where the system had taken it for a server that is gone.
    expect(await calling).toMatch(/^ECONN(REFUSED|RESET)$/);
    expect(answers.length, "each request that arrived has its answer").toBe(seen.requests);
    expect(answers.at(-1)).toBe("close");
    expect(answers.slice(0, 5)).toEqual(Array(5).fill("keep-alive"));
  });

  test("answers what runs, refuses what comes, and waits for no client that might ask again", async () => {
    const work = new EventEmitter();
    const { server, seen, ask } = await open(() => once(work, "done"));
    const running = ask();
    await vi.waitFor(() => expect(seen.requests).toBe(1), 60_000);
    const closed = closeServer(server, { noticeMs, drainMs: 60_000 });
    const second = ask(new Agent());
    await vi.waitFor(() => expect(seen.requests, "others do not know yet").toBe(2), 60_000);
    await vi.waitFor(() => expect(server.listening).toBe(false), 60_000);
    await expect(ask(new Agent())).rejects.toThrow(/ECONN(REFUSED|RESET)/);
    work.emit("done");
    expect(await second).toBe("close");
    expect(await running).toBeDefined();
    await closed;
  });

  test("waits no longer than it may", async () => {
    const { server, seen, ask } = await open(() => sleep(60_000, undefined, { ref: false }));
    const running = ask().catch((error: NodeJS.ErrnoException) => error.code);
    await vi.waitFor(() => expect(seen.requests).toBe(1), 60_000);
    await closeServer(server, { noticeMs: 0, drainMs: 50 });
    expect(await running).toBe("ECONNRESET");
  });
});
