import { Router } from "express";
import { sendJson } from "./send-result.ts";

/** Resolves when a dependency answers; rejects otherwise. */
export type Probe = (signal: AbortSignal) => Promise<unknown>;

export interface HealthOptions {
  /** Dependencies by the name that operators know them by. */
  probes: Record<string, Probe>;
  version: string | null;
  isStopping: () => boolean;
}

const timeoutMs = 1_000;
const rememberMs = 500;

/**
 * Liveness asks nothing but the process itself: restarting it mends no database. Readiness asks every dependency;
 * 204 when all answer, else 503 that names each one. `?verbose` names them in both cases; with `?require=postgres`
 * (comma separated) only those decide.
 */
export function healthRoutes({ probes, version, isStopping }: HealthOptions) {
  const askAll = remembered(async () =>
    Object.fromEntries(
      await Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await ask(probe)] as const)),
    ),
  );
  const router = Router();
  router.get("/-/health-checks/liveness", (_req, res) => void res.status(204).end());
  router.get("/-/health-checks/readiness", async (req, res) => {
    const checks = { ...(await askAll()), ...(isStopping() && { process: "stopping" }) };
    const required = typeof req.query.require === "string" ? [...req.query.require.split(","), "process"] : undefined;
    const decide = Object.entries(checks).filter(([name]) => required?.includes(name) ?? true);
    const bad = decide.filter(([, state]) => state !== "ok").map(([name]) => name);
    if (bad.length > 0) {
      const detail = `Not ready: ${bad.join(", ")}`;
      res.status(503).set("retry-after", "5");
      return sendJson(res, { detail, message: detail, checks });
    }
    if (req.query.verbose === undefined) return void res.status(204).end();
    sendJson(res, { checks });
  });
  router.get("/-/version", (_req, res) => sendJson(res, { version }));
  return router;
}

/** Anybody may ask for it, so the dependencies are asked at most once in a while. */
function remembered<T>(load: () => Promise<T>) {
  let last: { value: Promise<T>; at: number } | undefined;
  return () => {
    if (!last || Date.now() - last.at > rememberMs) last = { value: load(), at: Date.now() };
    return last.value;
  };
}

async function ask(probe: Probe): Promise<string> {
  const stop = AbortSignal.timeout(timeoutMs);
  const late = new Promise<string>((resolve) => {
    stop.addEventListener("abort", () => resolve("no answer within 1 s"));
  });
  const answer = probe(stop).then(
    () => "ok",
    () => "cannot be reached",
  );
  return Promise.race([late, answer]);
}
