import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { UnavailableError } from "../../src/errors.ts";
import { createKeptFile } from "../../src/platform/kept-file.ts";

const kibi = 1024;
const most = { one: 400 * kibi, all: 800 * kibi };

function version(sha256: string, bytes = most.one) {
  const content = randomBytes(bytes);
  return { sha256, bytes, content, load: vi.fn(async () => content) };
}

test("is loaded once for all who ask meanwhile and later, and comes whole", async () => {
  const file = createKeptFile(most);
  const first = version("a", most.one - 1);
  const load = vi.fn(() => sleep(20, first.content));
  const readers = await Promise.all(Array.from({ length: 50 }, () => file.open(first, load)));
  readers.push(await file.open(first, load));
  for (const reader of readers) expect(Buffer.concat(await reader.toArray()).equals(first.content)).toBe(true);
  expect(load).toHaveBeenCalledTimes(1);
});

test("is loaded again where it could not be, and the error is told to those who wanted it alone", async () => {
  const file = createKeptFile(most);
  const [broken, whole] = [version("a"), version("b")];
  const load = vi.fn(async (): Promise<Buffer> => {
    await sleep(20);
    throw new UnavailableError("away");
  });
  const asked = [file.open(broken, load), file.open(broken, load), file.open(whole, whole.load)];
  const answers = await Promise.allSettled(asked);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  expect(load).toHaveBeenCalledTimes(1);
  await file.open(broken, broken.load);
});

test("is not taken when it has another length", async () => {
  const file = createKeptFile(most);
  const { sha256, bytes } = version("a");
  await expect(file.open({ sha256, bytes }, async () => Buffer.alloc(bytes - 1))).rejects.toThrow("bytes instead of");
});

test("goes when a newer one is there and no reader is left", async () => {
  const file = createKeptFile(most);
  const [first, second] = [version("a", kibi), version("b", kibi)];
  const reader = await file.open(first, first.load);
  await file.open(second, second.load);
  await file.open(first, first.load);
  expect(first.load).toHaveBeenCalledTimes(1);
  const last = await file.open(first, first.load);
  await file.open(second, second.load);
  for (const one of [reader, last]) await one.toArray();
  expect(second.load).toHaveBeenCalledTimes(1);
});

test("never takes more memory than it may: who reads the oldest version slowly is cut off", async () => {
  const file = createKeptFile(most);
  const readers = [];
  for (const name of ["a", "b", "c", "d"]) {
    const next = version(name);
    const reader = await file.open(next, next.load);
    reader.once("readable", () => reader.read(1));
    readers.push(reader);
    await vi.waitFor(() => expect(reader.readableLength).toBeGreaterThan(0));
  }
  expect(readers.map(({ errored }) => errored instanceof UnavailableError)).toEqual([true, true, false, false]);
});

test("says what is too large for it, and does not take that", async () => {
  const file = createKeptFile(most);
  const [small, large] = [version("a"), version("b", most.one + 1)];
  expect([file.fits(small), file.fits(large)]).toEqual([true, false]);
  await expect(file.open(large, large.load)).rejects.toThrow("too large");
});
