import { expect, test, vi } from "vitest";
import { NotThereYetError, StartUpError } from "../../src/errors.ts";
import { whileUnreachable } from "../../src/platform/while-unreachable.ts";

const away = () => Promise.reject(new NotThereYetError("Postgres at db/shop cannot be reached: ECONNREFUSED."));

test("what cannot be reached is tried again until it can, and each reason is said once", async () => {
  const attempt = vi.fn<() => Promise<string>>(away);
  for (let n = 0; n < 6; n++) attempt.mockImplementationOnce(away);
  attempt.mockResolvedValueOnce("there");
  const said: string[] = [];
  expect(await whileUnreachable(attempt, { say: (text) => said.push(text), pauseMs: 1 })).toBe("there");
  expect(said).toEqual(["Postgres at db/shop cannot be reached: ECONNREFUSED. Trying again for up to 120 s."]);
});

test("what stays out of reach is given up after its time, and after no fewer than five attempts", async () => {
  const attempt = vi.fn(away);
  await expect(whileUnreachable(attempt, { limitMs: 0, pauseMs: 1 })).rejects.toThrow("Postgres at db/shop");
  expect(attempt).toHaveBeenCalledTimes(5);
});

test("what refuses is not tried again", async () => {
  const attempt = vi.fn(() => Promise.reject(new StartUpError("wrong password")));
  await expect(whileUnreachable(attempt, {})).rejects.toThrow("wrong password");
  expect(attempt).toHaveBeenCalledTimes(1);
});

test("a process that is told to stop does not go on waiting", async () => {
  const stopping = new AbortController();
  const waiting = whileUnreachable(away, { signal: stopping.signal, pauseMs: 3_600_000 });
  stopping.abort();
  await expect(waiting).rejects.toThrow("Postgres at db/shop");
});
