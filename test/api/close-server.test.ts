import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { closeServer } from "../../src/api/close-server.ts";

const agents: Agent[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

async function open(answerMs: number) {
  const server = createServer(async (_req, res) => {
    await sleep(answerMs);
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
  return { server, ask };
}

describe("a server that is closed", () => {
  test("is gone soon, though a caller never pauses, who loses no answer", async () => {
    const { server, ask } = await open(2);
    const answers: string[] = [];
    const calling = (async () => {
      for (;;) answers.push(await ask());
    })().catch((error: NodeJS.ErrnoException) => error.code);
    while (answers.length < 5) await sleep(1);
    await closeServer(server, { noticeMs: 100, drainMs: 60_000 });
    // The next connection is another process's.
    expect(await calling).toBe("ECONNREFUSED");
    expect(answers.at(-1)).toBe("close");
    expect(answers.slice(0, 5)).toEqual(Array(5).fill("keep-alive"));
  });

  test("answers what runs, refuses what comes, and waits for nobody who might ask again", async () => {
    const { server, ask } = await open(200);
    const running = ask();
    await once(server, "request");
    const closed = closeServer(server, { noticeMs: 100, drainMs: 60_000 });
    expect(await ask(new Agent()), "while others do not know yet").toBe("close");
    await expect(ask(new Agent())).rejects.toThrow("ECONNREFUSED");
    expect(await running).toBeDefined();
    await closed;
  });

  test("waits no longer than it may", async () => {
    const { server, ask } = await open(60_000);
    const running = ask().catch((error: NodeJS.ErrnoException) => error.code);
    await once(server, "request");
    await closeServer(server, { noticeMs: 0, drainMs: 50 });
    expect(await running).toBe("ECONNRESET");
  });
});
