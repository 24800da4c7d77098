import { createServer } from "node:net";
import { afterAll, expect, test } from "vitest";
import { StartUpError } from "../../src/errors.ts";
import { listen } from "../../src/platform/listen.ts";

const host = "127.0.0.1";
const advice = "Take another one.";
const first = createServer();
afterAll(() => void first.close());

test("a port that is taken is told in a sentence that names it and what to do", async () => {
  const port = await listen(first, { port: 0, host, advice });
  const refused = listen(createServer(), { port, host, advice });
  await expect(refused).rejects.toThrow(
    new StartUpError(`Port ${port} is taken by another program (address 127.0.0.1). Take another one.`),
  );
});

test("an address that is none of this machine is told in a sentence", async () => {
  const refused = listen(createServer(), { port: 0, host: "192.0.2.1", advice });
  await expect(refused).rejects.toThrow(
    new StartUpError("192.0.2.1 is not an address of this machine, so nothing can listen there."),
  );
});
