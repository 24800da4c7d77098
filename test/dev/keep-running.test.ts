import { expect, test, vi } from "vitest";
import { keepRunning } from "../../dev/stack/keep-running.ts";

const pauses = { firstMs: 1, loopEnds: 3, windowMs: 10_000, loopMs: 20 };

/** Processes that end when told so. */
function fakeProcesses() {
  const ends: ((reason: string) => void)[] = [];
  const said: string[] = [];
  let pid = 0;
  const start = vi.fn(async () => {
    const exited = new Promise<string>((resolve) => ends.push(resolve));
    pid += 1;
    return { pid, exited, stop: async () => false };
  });
  const changed = vi.fn();
  const options = { name: "api", changed, say: (text: string) => said.push(text), lastLines: () => ["boom"], pauses };
  return { start, changed, said, end: (reason: string) => ends.at(-1)?.(reason), options: { ...options, start } };
}

test("starts a process again when it has ended, and says so", async () => {
  const { options, start, changed, said, end } = fakeProcesses();
  const keeper = keepRunning(options);
  expect(await keeper.first).toMatchObject({ pid: 1 });
  end("SIGKILL");
  await vi.waitFor(() => expect(changed).toHaveBeenLastCalledWith(expect.objectContaining({ pid: 2 })), 10_000);
  expect(changed).toHaveBeenCalledTimes(2);
  expect(said).toEqual(["api ended (SIGKILL); starting it again"]);
  await keeper.stop(100);
  end("SIGTERM");
  expect(start).toHaveBeenCalledTimes(2);
});

test("shows the last lines of a process that keeps ending, and goes on trying", async () => {
  const { options, start, said, end } = fakeProcesses();
  const keeper = keepRunning(options);
  for (const turn of [1, 2, 3]) {
    await vi.waitFor(() => expect(start).toHaveBeenCalledTimes(turn), 10_000);
    end("exit code 1");
  }
  await vi.waitFor(() => expect(start).toHaveBeenCalledTimes(4), 10_000);
  expect(said.at(-1)).toMatch(/3 times within 10 s, trying again every 0.02 s.*\n {4}boom/);
  await keeper.stop(100);
});

test("passes on why the first start failed, and does not try again", async () => {
  const { options, start } = fakeProcesses();
  start.mockRejectedValue(new Error("no such file"));
  await expect(keepRunning(options).first).rejects.toThrow("no such file");
  expect(start).toHaveBeenCalledTimes(1);
});
