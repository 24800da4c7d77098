import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { apiKey, call, useApi, userIds, webhookSecret } from "../../support/api.ts";
import { addBusiness } from "../../support/business.ts";
import { type Hostile, hostileValues } from "../../support/fuzz/hostile-values.ts";
import { type Field, fieldsOf, type HostileRequest, requestWith } from "../../support/fuzz/requests.ts";
import { type Attack, attacksOn } from "../../support/fuzz/whole-requests.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";

/** Another one can be tried with FUZZ_SEED; a failure names it. */
const seed = Number(process.env.FUZZ_SEED ?? 20);
/** Requests of the whole file, so that it stays below a minute however many routes there are. */
const budget = Number(process.env.FUZZ_REQUESTS ?? 5_000);
const atOnce = 8;
const longestMs = 5_000;

const { operations, follow } = readDocument(routes);
const fieldCount = operations.flatMap((operation) => fieldsOf(operation, follow)).length;
const perField = Math.min(100, Math.max(4, Math.floor(budget / fieldCount) - 20));

const api = useApi({ relay: false });
type Caller = "admin" | "program" | "provider" | "anonymous";
let headersOf: Record<Caller, Record<string, string>>;

beforeAll(async () => {
  await addBusiness(api.db);
  // The events of a job that goes on would never end.
  await api.db.query("UPDATE job SET state = 'succeeded', finished_at = now()");
  headersOf = {
    admin: { authorization: `Bearer ${await api.identity.token(userIds.admin, { expires: "2h" })}` },
    program: { "api-key": apiKey },
    provider: { "x-better-auth-secret": webhookSecret },
    anonymous: {},
  };
});

/** The caller who gets furthest. */
function insider({ "x-access": access }: Described): Caller {
  if (access === "api-key") return "program";
  return access === "webhook" ? "provider" : "admin";
}

afterEach(async () => {
  expect(({} as { polluted?: unknown }).polluted, "Object.prototype was written to").toBeUndefined();
  expect((await call(`${api.url}/-/health-checks/liveness`)).status, "the process lives").toBe(204);
});

describe.each(operations.map((operation) => [operation.name, operation] as const))("%s", (_name, operation) => {
  const outsiders = (["admin", "program", "anonymous"] as const).filter((caller) => caller !== insider(operation));

  test("survives hostile values in every field", { timeout: 60_000 }, async () => {
    const all = fieldsOf(operation, follow).flatMap((field, n) => {
      const values = hostileValues(perField, seed + n);
      // A caller without a right is refused before any value is checked, or should be.
      const some = values.filter((_, nth) => nth === n % 8);
      const by = (caller: Caller, sent: Hostile[]) =>
        sent.map((hostile) => () => sendField(operation, caller, field, hostile));
      return [...by(insider(operation), values), ...outsiders.flatMap((caller) => by(caller, some))];
    });
    expect(await complaints(all), `seed ${seed}`).toEqual([]);
  });

  test("survives requests that are wrong as a whole", { timeout: 60_000 }, async () => {
    const attacks = await attacksOn(operation, follow);
    const by = (caller: Caller, sent: Attack[]) =>
      sent.map((attack) => () => send(operation, caller, attack.what, attack));
    const some = attacks.filter((_, nth) => nth % 8 === 0);
    const all = [...by(insider(operation), attacks), ...outsiders.flatMap((caller) => by(caller, some))];
    expect(await complaints(all)).toEqual([]);
  });
});

async function sendField(operation: Described, caller: Caller, field: Field, hostile: Hostile) {
  const request = await requestWith(operation, follow, field, hostile);
  if (!request) return undefined;
  return send(operation, caller, `${field.place} ${field.path.join(".")} = ${hostile.what}`, request);
}

/** What is wrong with the answer; undefined when nothing is. */
async function send(operation: Described, caller: Caller, what: string, { path, headers, body }: HostileRequest) {
  const init = {
    method: operation.method,
    headers: { prefer: "respond-async, wait=0", ...headers, ...headersOf[caller] },
    signal: AbortSignal.timeout(longestMs),
    ...(body !== undefined && operation.method !== "GET" && { body }),
  };
  const problem = await call(api.url + path, init).then(
    ({ status, text }) => (status >= 500 ? `${status} ${text}` : undefined),
    (error: Error) => String(error.name === "TimeoutError" ? `no answer in ${longestMs} ms` : (error.cause ?? error)),
  );
  return problem && `${operation.name} by ${caller}, ${what}: ${problem.slice(0, 600)}`;
}

/** The first ten of what is wrong; a few requests are on their way at once. */
async function complaints(requests: (() => Promise<string | undefined>)[]) {
  const found: string[] = [];
  const queue = requests.values();
  const work = async () => {
    for (const request of queue) {
      const complaint = await request();
      if (complaint) found.push(complaint);
      if (found.length >= 10) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}
