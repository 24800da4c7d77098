import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeServer } from "../../../src/api/http/close-server.ts";
import { storeAnswer, takeKey } from "../../../src/db/idempotency.ts";
import { enqueue } from "../../../src/engine/outbox.ts";
import { createTransact } from "../../../src/engine/transaction.ts";
import { isPostgresUnavailable } from "../../../src/platform/postgres/errors.ts";
import { type Order, serveOrders } from "./order-server.ts";
import { startRuntime } from "./runtime.ts";

const { settings, jobs, crash, signal, db, relay, end } = await startRuntime("producer");
const transact = createTransact(db, settings.ONLY_SWEEP ? () => undefined : relay.offer);

/** Promises a job and keeps the answer with its key, all in one transaction, as a route of the API does. */
async function promise({ key, kind, payload }: Order): Promise<string> {
  // Release 2 takes what its clients send, and adds what it wants to know.
  const wanted = settings.RELEASE === "2" ? { ...payload, reason: "sold" } : payload;
  const hash = createHash("sha256").update(JSON.stringify({ kind, payload })).digest("hex");
  const request = { scope: "chaos", key, hash };
  const answer = await transact({ actorId: null, traceId: key }, async (tx) => {
    const state = await takeKey(tx, request);
    if (state.state === "other request") throw new Error(`Key '${key}' was used for another request`);
    if (state.state === "answered") return state.answer.body ?? "";
    const id = await enqueue(tx, jobs[kind], wanted);
    await storeAnswer(tx, request, { status: 202, body: id, headers: {} });
    crash("promise.before-commit");
    return id;
  });
  crash("promise.after-commit");
  return answer;
}

const server = await serveOrders(settings.PORT, promise, isPostgresUnavailable);
process.send?.("ready");
if (!signal.aborted) await once(signal, "abort");
await closeServer(server, { noticeMs: 200, drainMs: 10_000 });
await end();
process.exit(0);
