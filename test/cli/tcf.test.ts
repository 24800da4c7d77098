import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { CommandContext } from "../../src/cli/command.ts";
import { describeRedis } from "../../src/cli/doctor-redis.ts";
import { compareClocks } from "../../src/cli/findings.ts";
import { runCli } from "../../src/cli/run.ts";
import { auditLog } from "../../src/db/dao/audit/audit-log.ts";
import { connectDatabase } from "../../src/db/data-source.ts";
import type { Role } from "../../src/db/entities/accounts/user.ts";
import { enqueue } from "../../src/engine/outbox.ts";
import { queuePauses } from "../../src/engine/queue-controls.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { StartUpError } from "../../src/errors.ts";
import { scalingRules } from "../../src/jobs/scaling.ts";
import { sendMail } from "../../src/jobs/send-mail.ts";
import { useDatabase } from "../support/database.ts";
import { useMailbox } from "../support/mailbox.ts";
import { queuePrefix, redisAddress } from "../support/redis.ts";
import { useBucket } from "../support/s3.ts";
import { addUser } from "../support/users.ts";
import { useYooKassa } from "../support/yookassa.ts";

const db = useDatabase();
const s3 = useBucket();
const mailbox = useMailbox();
const yookassa = useYooKassa();
let context: CommandContext;

beforeAll(async () => {
  for (const [name, role] of Object.entries({
    admin: "ADMIN",
    operator: "EMPLOYEE",
    employee: "EMPLOYEE",
    user: "USER",
  }))
    await addUser(db, { email: `${name}@test.example`, role: role as Role });
  const url = String((db.options as { url?: string }).url);
  const transact = createTransact(db, () => undefined);
  context = {
    caller: "tester",
    operators: () => ["operator@test.example"],
    demoTokensUrl: () => undefined,
    database: () => ({ url, isPooled: false }),
    transact: (work, origin = { actorId: null, traceId: null }) => transact(origin, work),
    installation: () => ({
      redis: { broker: redisAddress, cache: redisAddress },
      queuePrefix,
      scaling: scalingRules({ mail: { minWorkers: 0 } }),
      s3: {
        endpoint: s3.endpoint,
        region: "us-east-1",
        bucket: s3.bucket,
        accessKeyId: s3.accessKey,
        secretAccessKey: s3.secretKey,
        publicUrl: s3.publicUrl,
      },
      smtp: mailbox.mailerOptions(),
      cards: undefined,
    }),
  };
});
beforeEach(() => db.query("DELETE FROM queue_pause; DELETE FROM job_outbox; DELETE FROM job"));
afterAll(() => tcf("scale", "clear", "mail"));

/** On behalf of an admin, unless the call says otherwise. */
function tcf(...argv: string[]) {
  return run("--as", "admin@test.example", ...argv);
}

async function run(...argv: string[]) {
  const said = { out: "", err: "" };
  const code = await runCli(argv, context, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
}

/** What a command says to programs. */
async function json(...argv: string[]) {
  const { code, out, err } = await tcf(...argv, "--json");
  return { code, body: JSON.parse(out || err) };
}

const promise = () => context.transact((tx) => enqueue(tx, sendMail, { mailId: randomUUID() }));
const fail = (id: string) =>
  db.query(
    `UPDATE job SET state = 'failed', finished_at = now(), error_key = 'no such address',
       last_error = '{"name": "RefusedMailError", "message": "no such address"}' WHERE id = $1`,
    [id],
  );

describe("tcf jobs", () => {
  test("lists and shows them, and never what is in their payload", async () => {
    const id = await promise();
    expect((await tcf("jobs", "list", "--queue", "mail")).out).toMatch(new RegExp(`${id} +send-mail +open +0/\\d`));
    expect((await json("jobs", "list", "--state", "failed")).body).toEqual([]);
    const { body } = await json("jobs", "show", id);
    expect(body).toMatchObject({ id, state: "open", queue: "mail", children: {} });
    expect(body).not.toHaveProperty("payload");
  });

  test("retries what has failed, and refuses the rest in words", async () => {
    const id = await promise();
    expect(await tcf("jobs", "retry", id)).toMatchObject({
      code: 1,
      err: expect.stringContaining("is open; only failed"),
    });
    await fail(id);
    expect((await json("jobs", "retry", id)).body).toMatchObject({ id, state: "open" });
  });

  test("cancels with a reason that names who it was", async () => {
    const id = await promise();
    expect(await tcf("jobs", "cancel", id)).toMatchObject({ code: 64, err: expect.stringContaining("--reason") });
    const { body } = await json("jobs", "cancel", id, "--reason", "not wanted");
    expect(body).toMatchObject({ state: "cancelled", cancellation: { reason: "not wanted (tcf: tester)" } });
  });

  test("counts and replays what has failed for one cause, and never everything by mistake", async () => {
    const id = await promise();
    await fail(id);
    expect((await tcf("jobs", "failures")).out).toContain("no such address");
    const filter = ["--error", "no such address", "--reason", "it has an address now"];
    expect((await json("jobs", "replay", ...filter, "--dry-run")).body).toMatchObject({ count: 1, ids: [id] });
    const { body } = await json("jobs", "replay", ...filter);
    expect((await json("jobs", "show", body.id)).body).toMatchObject({ kind: "replay-jobs", state: "open" });
    expect((await tcf("jobs", "replay")).code).toBe(64);
  });

  test.each([
    [["jobs", "show", "42"], 64, "is not the id of a job"],
    [["jobs", "show", randomUUID()], 1, "not found"],
    [["jobs", "list", "--state", "dead"], 64, "there are open, running"],
    [["jobs", "list", "--size", "0"], 64, "from 1 to 500"],
    [["jobs", "list", "--colour", "red"], 64, "tcf jobs list"],
    [["jobs", "explode"], 64, "There is no command 'jobs explode'"],
    [["queues", "pause", "letters", "--reason", "x"], 64, "there are images, documents"],
    [["scale", "set", "mail", "3"], 64, "say how long"],
    [["token", "employee"], 78, "DEMO_TOKENS_URL is not set"],
  ])("answers %j with exit code %i and says what would do", async (argv, code, message) => {
    const { code: exit, body } = await json(...argv);
    expect([exit, body.error]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe("an act of tcf's", () => {
  const rows = () =>
    db.query("SELECT email, method, endpoint, payload, status FROM audit_log JOIN users ON users.id = user_id");
  beforeEach(() => db.query("DELETE FROM audit_log"));

  test("is entered in the audit log with the person, the tool, the reason and the outcome, as links of the chain", async () => {
    const id = await promise();
    const cancel = ["jobs", "cancel", id, "--reason", "not wanted"];
    expect(await run("--as=Operator@Test.Example", ...cancel)).toMatchObject({ code: 0 });
    const [cancelled] = await db.query("SELECT cancellation->>'by' AS by FROM job");
    const [{ id: operatorId }] = await db.query("SELECT id FROM users WHERE email = 'operator@test.example'");
    expect(cancelled.by).toBe(operatorId);
    await run(...cancel, "--as", "employee@test.example");
    await run("jobs", "retry", "--as", "admin@test.example", randomUUID());
    await tcf("jobs", "cancel", id);
    const row = (name: string, path: string, status: number, reason?: string) => ({
      ...{ email: `${name}@test.example`, method: "POST", endpoint: `tcf://cli/jobs/${path}`, status },
      payload: { tool: "tcf", caller: "tester", ...(reason && { reason }) },
    });
    const why = "not wanted (tcf: tester)";
    expect(await rows()).toEqual([
      row("operator", `${id}/cancel`, 200, why),
      row("employee", `${id}/cancel`, 403, why),
      { ...row("admin", "", 404), endpoint: expect.stringMatching(/^tcf:\/\/cli\/jobs\/[0-9a-f-]{36}\/retry$/) },
      row("admin", `${id}/cancel`, 422),
    ]);
    expect(await auditLog.firstBroken(db.manager)).toBeUndefined();
  });

  test.each([
    [[], 64, "Say who you are: --as"],
    [["--as"], 64, "Say who you are: --as"],
    [["--as", "unknown@test.example"], 1, "There is no user with the address 'unknown@test.example'"],
    [["--as", "user@test.example"], 1, "'user@test.example' is a customer"],
    [["--as", "employee@test.example"], 1, "requires the rank operator here; yours is employee"],
  ])("is refused with %j, in words that say why, and nothing happens", async (as, code, message) => {
    const id = await promise();
    for (const act of [
      ["jobs", "cancel", id],
      ["queues", "pause", "mail"],
      ["jobs", "replay", "--kind", "send-mail"],
    ])
      expect(await run(...act, "--reason", "x", ...as)).toMatchObject({ code, err: expect.stringContaining(message) });
    expect(await db.query("SELECT state FROM job")).toEqual([{ state: "open" }]);
    expect(await queuePauses.list(db.manager)).toEqual([]);
  });

  test("is not for who was deactivated since", async () => {
    await db.query("UPDATE users SET is_active = false WHERE email = 'operator@test.example'");
    const { code, err } = await run("queues", "resume", "mail", "--as", "operator@test.example");
    expect([code, err]).toEqual([1, expect.stringContaining("is deactivated")]);
    await db.query("UPDATE users SET is_active = true");
  });

  test("is not done when it cannot be entered", async () => {
    const id = await promise();
    await db.query("ALTER TABLE audit_log RENAME TO lost_log");
    await expect(tcf("jobs", "cancel", id, "--reason", "x")).rejects.toThrow("audit_log");
    await db.query("ALTER TABLE lost_log RENAME TO audit_log");
    expect(await db.query("SELECT state FROM job")).toEqual([{ state: "open" }]);
  });

  test("overrules the number of workers for admins alone", async () => {
    const set = ["scale", "set", "mail", "2", "--for", "1m", "--as"];
    expect(await run(...set, "operator@test.example")).toMatchObject({
      code: 1,
      err: expect.stringContaining("admin"),
    });
    expect((await json("scale", "explain", "mail")).body.inputs.wanted).toBeNull();
  });
});

describe("tcf queues", () => {
  test("weighs a group, and refuses a weight that no group can have", async () => {
    const { body } = await json("queues", "weigh", "mail", "some newsletter", "3");
    expect(body).toEqual({ queue: "mail", group: "some newsletter", weight: 3 });
    const weights = () => db.query("SELECT group_key, weight FROM job_group_weight");
    expect(await weights()).toEqual([{ group_key: "some newsletter", weight: 3 }]);
    for (const wrong of ["0", "101", "two"])
      expect(await tcf("queues", "weigh", "mail", "some newsletter", wrong)).toMatchObject({
        code: 64,
        err: expect.stringContaining(`'${wrong}'; it has to be a whole number from 1 to 100`),
      });
    await tcf("queues", "weigh", "mail", "some newsletter", "1");
    expect(await weights()).toEqual([]);
  });

  test("pauses a queue so that it is said by whom and why, and lets it go on", async () => {
    await tcf("queues", "pause", "mail", "--reason", "the server moves");
    expect(await queuePauses.list(db.manager)).toMatchObject([
      { queue: "mail", reason: "the server moves (tcf: tester)" },
    ]);
    expect((await tcf("queues", "list")).out).toContain("the server moves");
    await tcf("queues", "resume", "mail");
    expect(await queuePauses.list(db.manager)).toEqual([]);
  });

  test("drains a queue: waits for what runs, and says so when that takes too long", async () => {
    const id = await promise();
    await db.query("UPDATE job SET state = 'running' WHERE id = $1", [id]);
    expect(await tcf("queues", "drain", "mail", "--reason", "Redis moves", "--timeout", "1")).toMatchObject({
      code: 1,
      out: expect.stringContaining("1 jobs still run"),
    });
    const draining = tcf("queues", "drain", "mail", "--reason", "Redis moves");
    await db.query("UPDATE job SET state = 'succeeded', finished_at = now() WHERE id = $1", [id]);
    expect(await draining).toMatchObject({ code: 0, out: expect.stringContaining("nothing runs there") });
  });
});

describe("tcf scale", () => {
  test("explains how many workers a queue needs, and overrules it for a while", async () => {
    expect((await json("scale", "explain", "mail")).body).toMatchObject({
      desiredWorkers: 0,
      inputs: { wanted: null },
    });
    expect((await tcf("scale", "set", "mail", "4", "--for", "2h")).out).toContain("an operator wants 4");
    expect((await json("scale", "explain", "mail")).body).toMatchObject({ desiredWorkers: 4 });
    await tcf("scale", "clear", "mail");
    expect((await json("scale", "explain", "mail")).body).toMatchObject({ desiredWorkers: 0 });
  });
});

test("tcf migrate says that nothing is missing", async () => {
  expect(await tcf("migrate")).toEqual({ code: 0, out: "schema is current", err: "" });
});

describe("tcf doctor", () => {
  const account = (more: object = {}) => ({ provider: "yookassa" as const, ...yookassa.options(), ...more });
  const finding = async (what: string) =>
    (await json("doctor")).body.findings.find((one: { what: string }) => one.what === what);

  test("finds everything well", async () => {
    const { code, body } = await json("doctor");
    expect(body.findings.filter(({ state }: { state: string }) => state === "problem")).toEqual([]);
    expect(code).toBe(0);
    const names = body.findings.map(({ what }: { what: string }) => what);
    for (const what of [
      "postgres",
      "schema",
      "clock of postgres",
      "outbox",
      "redis",
      "redis policy",
      "redis persistence",
    ])
      expect(names).toContain(what);
    for (const what of ["connections", "migrations", "clock of redis", "cache", "bucket", "mail server"])
      expect(names).toContain(what);
  });

  test("adds up the connections by process", async () => {
    const url = String((db.options as { url?: string }).url);
    const worker = await connectDatabase(url, 3, { name: "tcf worker images,mail" });
    await Promise.all([1, 2, 3].map(() => worker.query("SELECT pg_sleep(0.1)")));
    const { state, found } = await finding("connections");
    await worker.destroy();
    expect(state).toBe("ok");
    const [, used, most, each = ""] = /^(\d+) of (\d+): (.+)$/.exec(found) ?? [];
    expect(each).toContain("tcf worker images,mail 3");
    const counts = Array.from(each.matchAll(/ (\d+)(?:, |$)/g), ([, count]) => Number(count));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(Number(used));
    const [{ max_connections }] = await db.query("SHOW max_connections");
    expect(Number(most)).toBeLessThan(Number(max_connections));
  });

  test("finds migrations that would change another database", async () => {
    const { database } = context;
    expect(await finding("migrations")).toEqual({ what: "migrations", state: "ok", found: "go to the server itself" });
    const other = (path: string) => new URL(path, database().url).href;
    context.database = () => ({ url: other("/postgres"), isPooled: false });
    expect(await finding("migrations")).toMatchObject({
      state: "problem",
      found: "go to another database than the processes use",
      advice: expect.stringContaining("Correct DATABASE_DIRECT_URL"),
    });
    context.database = () => ({ url: other("/nowhere"), isPooled: false });
    expect((await finding("migrations")).found).toContain("cannot be used");
    context.database = database;
  });

  test("names a schema that is behind, and what to do", async () => {
    await db.query("UPDATE migrations SET name = 'x' || name WHERE name LIKE 'Timeline%'");
    expect(await finding("schema")).toMatchObject({ state: "problem", advice: "Run `tcf migrate`" });
    expect((await tcf("doctor")).code).toBe(1);
    await db.query("UPDATE migrations SET name = substr(name, 2) WHERE name LIKE 'xTimeline%'");
  });

  test("checks the books by themselves, and names what disagrees", async () => {
    expect(await tcf("doctor", "--books")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ok +waybill-customer /),
    });
    const [[{ id }]] = await db.query(
      "UPDATE users SET balance_rub = 5 WHERE email = 'user@test.example' RETURNING id",
    );
    await db.query(
      `INSERT INTO user_balance_history (user_id, delta, balance_before, balance_after, currency, reason)
       VALUES ($1, 4, 0, 4, 'RUB', 'OTHER')`,
      [id],
    );
    const { code, out } = await tcf("doctor", "--books");
    expect(code).toBe(1);
    expect(out).toContain("PROBLEM  balance-history    broken 1 times");
    expect(out).toContain(`${id} 5 RUB, and its history leads to 4`);
    expect((await json("doctor", "--books")).body.rules).toContainEqual({
      ...{ name: "balance-history", count: 1 },
      examples: [{ id, says: "5 RUB, and its history leads to 4" }],
    });
    await db.query("DELETE FROM user_balance_history");
    await db.query("UPDATE users SET balance_rub = 0");
  });

  test("finds an edited row of the audit chain", async () => {
    const [{ id: userId }] = await db.query(
      "INSERT INTO users (id, email, first_name, last_name) VALUES (gen_random_uuid(), 'chain@test.example', 'A', 'B') RETURNING id",
    );
    const entry = { userId, method: "PUT", endpoint: "/", payload: {}, status: 200, requestId: "r" } as const;
    await db.transaction((tx) => auditLog.append(tx, entry));
    expect(await finding("audit chain")).toMatchObject({ state: "ok", found: "whole" });
    await db.query("UPDATE audit_log SET status = 500");
    expect(await finding("audit chain")).toMatchObject({ state: "problem", found: expect.stringContaining("link 1 ") });
    await db.query("DELETE FROM audit_log");
  });

  test("names servers that are unavailable, and the variable that says where they are", async () => {
    const installation = context.installation();
    const away = {
      ...installation,
      redis: { broker: "redis://127.0.0.1:1", cache: "redis://127.0.0.1:1" },
      smtp: { ...mailbox.mailerOptions(), port: 1 },
    };
    const spy = vi.spyOn(context, "installation").mockReturnValue({
      ...away,
      s3: { ...installation.s3, endpoint: "http://127.0.0.1:1" },
    });
    const { body } = await json("doctor");
    const bad = body.findings.filter(({ state }: { state: string }) => state === "problem");
    expect(bad.map(({ what }: { what: string }) => what)).toEqual(["redis", "bucket", "mail server"]);
    for (const [at, name] of ["REDIS_URL", "S3_ENDPOINT_URL", "SMTP_HOST"].entries())
      expect(bad[at].advice).toContain(name);
    spy.mockRestore();
  });

  test.each([
    ["none", undefined, "ok", "none: customers cannot pay by card"],
    ["the test provider", () => ({ provider: "test" as const }), "ok", "test, which takes no money"],
    ["a test shop", () => account(), "warning", "shop 100500 of YooKassa is a test shop: it takes no money"],
    ["a wrong key", () => account({ secretKey: "test_wrong-wrong" }), "problem", "YooKassa refuses the shop's key"],
    ["a provider that is down", () => account({ url: "http://127.0.0.1:1/v3" }), "problem", "YooKassa did not answer"],
  ])("says of the card provider that it is %s", async (_what, cards, state, found) => {
    const installation = context.installation();
    const spy = vi.spyOn(context, "installation").mockReturnValue({ ...installation, cards: cards?.() });
    expect(await finding("card provider")).toMatchObject({ state, found: expect.stringContaining(found) });
    spy.mockRestore();
  });

  test("says that Postgres is unavailable", async () => {
    const spy = vi.spyOn(context, "transact").mockRejectedValue(new StartUpError("refused"));
    expect(await finding("postgres")).toMatchObject({ state: "problem", found: "refused" });
    spy.mockRestore();
  });

  test("complains of a Redis that would evict jobs, lose them, or is full", () => {
    const info = { maxmemory_policy: "allkeys-lru", aof_enabled: "0", used_memory: "90", maxmemory: "100" };
    const states = describeRedis(new Map(Object.entries(info))).map(({ what, state }) => [what, state]);
    expect(states).toEqual([
      ["redis", "ok"],
      ["redis policy", "problem"],
      ["redis persistence", "warning"],
      ["redis memory", "problem"],
    ]);
  });

  test("minds clocks that differ, and not the time that asking takes", () => {
    const at = (theirs: number) => compareClocks("clock", theirs, 100_000, 101_000).state;
    expect([at(100_500), at(99_500), at(103_500), at(90_000), at(110_000)]).toEqual([
      ...["ok", "ok", "warning", "problem", "problem"],
    ]);
  });
});
