import { memoizeFor } from "./memoize-for.ts";

/** Resolves when a dependency answers; rejects otherwise. A `ProbeError` says in a sentence what is wrong. */
export type Probe = (signal: AbortSignal) => Promise<unknown>;

/** A dependency answers, but not as it should; the message is for operators. */
export class ProbeError extends Error {
  override readonly name = "ProbeError";
}

/** The result of each check, by name: "ok" or what is wrong. */
export type Checks = Record<string, string>;

const timeoutMs = 1_000;

/** Asks all dependencies at once, at most twice a second, since any client may call it. Never rejects. */
export function askProbes(probes: Record<string, Probe>): () => Promise<Checks> {
  return memoizeFor(async () =>
    Object.fromEntries(
      await Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await ask(probe)] as const)),
    ),
  );
}

/** Names of the checks that are not ok; only of those in `deciding`, where it is given. */
export function failing(checks: Checks, deciding?: readonly string[]): string[] {
  const entries = Object.entries(checks).filter(([name]) => deciding?.includes(name) ?? true);
  return entries.filter(([, state]) => state !== "ok").map(([name]) => name);
}

async function ask(probe: Probe): Promise<string> {
  const stop = AbortSignal.timeout(timeoutMs);
  const late = new Promise<string>((resolve) => {
    stop.addEventListener("abort", () => resolve("no answer within 1 s"));
  });
  const answer = Promise.resolve()
    .then(() => probe(stop))
    .then(
      () => "ok",
      (error: unknown) => (error instanceof ProbeError ? error.message : "cannot be reached"),
    );
  return Promise.race([late, answer]);
}
