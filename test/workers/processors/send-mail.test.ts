import { describe, expect, test, vi } from "vitest";
import { cancelJob } from "../../../src/services/operations/job-control.ts";
import { graceMs, type MailEngine, useMailEngine } from "../../support/mail-engine.ts";
import { anAdmin } from "../../support/operators.ts";
import { type Script, type Stage, stages } from "../../support/scripted-smtp.ts";

/** A mail that was sent under this script, when it is over; and how often it arrived. */
async function sent(engine: MailEngine, script: Script) {
  engine.smtp.play(script);
  const id = await engine.promise();
  const job = await vi.waitFor(
    async () => {
      const seen = await engine.job(id);
      expect(seen.finishedAt).not.toBeNull();
      return seen;
    },
    { timeout: 15_000 },
  );
  const mail = await engine.find(id);
  return { mail, job, state: [mail.state, job.state], arrived: engine.smtp.taken };
}

const codes = [421, 450, 451, 452, 550, 552, 553, 554];
const isAboutUs = (stage: Stage, code: number) =>
  code === 421 ||
  (stage === "MAIL" && code !== 552) ||
  (stage === "message" ? code === 451 || code === 452 : stage !== "MAIL" && stage !== "RCPT");
const isVerdict = (stage: Stage, code: number) => code >= 500 && !isAboutUs(stage, code);
const table = stages.flatMap((stage) => codes.map((code) => [code, stage] as const));

/** Where a connection may break, and whether the message is there then. */
const surelyNotSent: [string, Script][] = stages.slice(0, -1).flatMap((at): [string, Script][] => [
  [`at ${at}`, { cut: { at, said: 0 } }],
  [`in the reply to ${at}`, { cut: { at, said: 2 } }],
]);
const inDoubt: [string, Script, number][] = [
  ["with the dot on the way", { cut: { at: "message", said: 0 }, keeps: false }, 0],
  ["after the dot", { cut: { at: "message", said: 0 } }, 1],
  ["in the reply to the dot", { cut: { at: "message", said: 2 } }, 1],
];

describe("with a probe", () => {
  const engine = useMailEngine({ probe: true });

  test.each(table)("%i at %s: refused for good or sent once at last", async (code, stage) => {
    const { state, mail, job, arrived } = await sent(engine, { replies: { [stage]: `${code} no` } });
    if (isVerdict(stage, code)) {
      expect(state).toEqual(["failed", "failed"]);
      expect([mail.smtpCode, mail.serverAnswer, mail.tries]).toEqual([code, `${code} no`, 1]);
      expect(arrived).toEqual([]);
    } else {
      expect(state).toEqual(["sent", "succeeded"]);
      expect([mail.smtpCode, mail.serverAnswer]).toEqual([250, "250 taken"]);
      if (isAboutUs(stage, code)) expect([job.failures, mail.tries]).toEqual([0, 1]);
      else expect([job.failures, mail.tries]).toEqual([1, 2]);
      expect(arrived).toEqual([mail.messageId]);
    }
  });

  test("a server that never wants it ends it when its attempts are used up", async () => {
    const { state, mail, arrived } = await sent(engine, { replies: { RCPT: "451 later" }, times: 99 });
    expect(state).toEqual(["failed", "failed"]);
    expect([mail.smtpCode, mail.serverAnswer, mail.tries]).toEqual([451, "451 later", 10]);
    expect(arrived).toEqual([]);
  });

  test.each<[string, Script, number?]>([...surelyNotSent, ...inDoubt])(
    "a connection that breaks %s: sent once",
    async (_where, script) => {
      const { state, mail, arrived } = await sent(engine, script);
      expect(state).toEqual(["sent", "succeeded"]);
      expect(arrived).toEqual([mail.messageId]);
      expect(mail.messageId).toBe(`${mail.id}@test.example`);
    },
  );

  test("looks for it only when the grace time is over, and asks again when the probe is unavailable", async () => {
    engine.probeError = new Error("away");
    engine.smtp.play({ cut: { at: "message", said: 0 } });
    const id = await engine.promise();
    await vi.waitFor(async () => expect((await engine.job(id)).lastError?.message).toMatch(/away/), 10_000);
    const { state, sendingAt } = await engine.find(id);
    expect(state).toBe("sending");
    expect(Date.now() - Number(sendingAt)).toBeGreaterThan(graceMs);
    engine.probeError = undefined;
    await vi.waitFor(async () => expect((await engine.find(id)).state).toBe("sent"), 10_000);
    expect(engine.smtp.taken).toHaveLength(1);
    expect((await engine.find(id)).tries).toBe(1);
  });

  test("gives up at once a mail to what is no plain address, and sends it nowhere", async () => {
    engine.smtp.play();
    const id = await engine.promise({ recipient: "a@test.example, evil@test.example" });
    await vi.waitFor(async () => expect((await engine.job(id)).state).toBe("failed"), 10_000);
    expect(await engine.find(id)).toMatchObject({ state: "failed", tries: 1, sentAt: null });
    expect(engine.smtp.taken).toEqual([]);
  });

  test("gives up a mail whose connection breaks each time", async () => {
    engine.smtp.play({ cut: { at: "message", said: 0 }, keeps: false, times: 99 });
    const id = await engine.promise();
    await vi.waitFor(async () => expect((await engine.find(id)).state).toBe("sending"), 10_000);
    await engine.db.query("UPDATE mails SET tries = tries + 8 WHERE id = $1", [id]);
    await vi.waitFor(async () => expect((await engine.job(id)).state).toBe("failed"), 20_000);
    expect(await engine.find(id)).toMatchObject({ state: "failed", tries: 10 });
  });
});

describe("without a probe", () => {
  const engine = useMailEngine({ probe: false });

  test.each(surelyNotSent)("a connection that breaks %s: sent once", async (_where, script) => {
    const { state, mail, arrived } = await sent(engine, script);
    expect(state).toEqual(["sent", "succeeded"]);
    expect(arrived).toEqual([mail.messageId]);
  });

  test.each(inDoubt)("a connection that breaks %s: left to a person", async (_where, script, taken) => {
    const { state, job, arrived } = await sent(engine, script);
    expect(state).toEqual(["unknown", "unknown"]);
    expect(job.lastError?.message).toMatch(/^It is unknown whether it was sent/);
    expect(arrived).toHaveLength(taken);
  });

  test("a connection that breaks after the reply to the dot: sent once", async () => {
    const { state, arrived } = await sent(engine, { cut: { at: "message", said: 11 } });
    expect(state).toEqual(["sent", "succeeded"]);
    expect(arrived).toHaveLength(1);
  });

  test("a mail whose job is cancelled on the wire is left to a person", async () => {
    engine.smtp.play({ silentAt: "message" });
    const id = await engine.promise();
    await vi.waitFor(() => expect(engine.smtp.taken).toHaveLength(1));
    const { jobId } = await engine.find(id);
    const boardActions = { ...anAdmin, reason: "a test" };
    await engine.transact({ actorId: null, traceId: null }, (tx) => cancelJob(tx, String(jobId), boardActions));
    await vi.waitFor(async () => expect((await engine.job(id)).finishedAt).not.toBeNull(), 10_000);
    expect([(await engine.find(id)).state, (await engine.job(id)).state]).toEqual(["unknown", "unknown"]);
  });
});

describe("a server that refuses the shop", () => {
  const engine = useMailEngine({ probe: false });
  const over = (ids: string[]) =>
    vi.waitFor(async () => {
      const jobs = await Promise.all(ids.map(engine.job));
      expect(jobs.filter(({ finishedAt }) => finishedAt === null)).toEqual([]);
    }, 30_000);

  test.each<[string, Script]>([
    ["wants a login", { replies: { MAIL: "530 5.7.0 Authentication required" } }],
    ["does not relay", { replies: { RCPT: "554 5.7.1 <x@test.example>: Relay access denied" } }],
    ["does not take the sender", { replies: { MAIL: "553 5.7.1 Not you" } }],
    ["does not greet", { replies: { greeting: "554 No service here" } }],
  ])("because it %s: is tried by one mail at a time, and no mail loses an attempt", async (_why, script) => {
    engine.smtp.play({ ...script, times: 1_000 });
    const ids = await Promise.all(Array.from({ length: 100 }, () => engine.promise()));
    await expect.poll(async () => (await engine.find(String(ids[0]))).state, { timeout: 10_000 }).not.toBe("sending");
    await expect.poll(engine.fault).toBeDefined();
    // Those that were under way at once may all be refused; after that, waits of 50, 100, 200, 400 ms and so on.
    const underWay = async () =>
      (await Promise.all(ids.map(engine.find))).filter(({ state }) => state === "sending").length;
    await expect.poll(underWay).toBeLessThan(2);
    const before = engine.smtp.dialogues();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(engine.smtp.dialogues() - before).toBeLessThan(15);
    for (const id of ids) expect((await engine.find(id)).state).toMatch(/^(queued|retry|sending)$/);

    engine.smtp.play({});
    await over(ids);
    expect([...engine.smtp.taken].sort()).toEqual(
      (await Promise.all(ids.map(engine.find))).map(({ messageId }) => messageId).sort(),
    );
    for (const id of ids) {
      expect(await engine.find(id)).toMatchObject({ state: "sent", tries: 1 });
      expect(await engine.job(id)).toMatchObject({ state: "succeeded", failures: 0 });
    }
    expect(engine.fault()).toBeUndefined();
  });

  test("after each third mail of a session has all mails sent, and none loses an attempt", async () => {
    engine.smtp.play(
      ...Array.from({ length: 20 }, () => [{ times: 3 }, { replies: { MAIL: "421 4.7.0 Enough" } }]).flat(),
    );
    const ids = await Promise.all(Array.from({ length: 40 }, () => engine.promise()));
    await over(ids);
    for (const id of ids) {
      expect(await engine.find(id)).toMatchObject({ state: "sent", tries: 1 });
      expect(await engine.job(id)).toMatchObject({ failures: 0 });
    }
  });

  test("for one mail only fails that mail in the end, and holds no other one back for long", async () => {
    engine.smtp.play({});
    engine.smtp.refused.set("poison@test.example", "550 5.7.1 Delivery not authorized");
    const poison = await engine.promise({ recipient: "poison@test.example" });
    let others = 0;
    await vi.waitFor(async () => {
      await over([await engine.promise()]);
      others++;
      expect((await engine.job(poison)).state).toBe("failed");
    }, 60_000);
    expect(await engine.find(poison)).toMatchObject({ state: "failed", smtpCode: 550, tries: 10 });
    expect(engine.smtp.taken).toHaveLength(others);
    const suppressed = await engine.db.query("SELECT count(*)::int AS n FROM mail_suppressions");
    expect(suppressed).toEqual([{ n: 0 }]);
  });
});

describe("kinds of mail that are switched off", () => {
  const engine = useMailEngine({ probe: false, off: ["order-received", "welcome"] });

  test("are held back with the reason, and all other kinds go out", async () => {
    engine.smtp.play({});
    const ids = await Promise.all([
      engine.promise({ kind: "order-received", parameters: { orderId: "00000000-0000-4000-8000-000000000000" } }),
      engine.promise({ kind: "welcome" }),
      engine.promise({ kind: "price-list" }),
    ]);
    await vi.waitFor(async () => {
      for (const id of ids) expect((await engine.job(id)).state).toBe("succeeded");
    }, 15_000);
    const [order, welcome, list] = await Promise.all(ids.map(engine.find));
    for (const mail of [order, welcome]) {
      expect(mail).toMatchObject({ state: "suppressed", tries: 0, serverAnswer: expect.stringContaining("MAIL_OFF") });
    }
    expect(list).toMatchObject({ state: "sent" });
    expect(engine.smtp.taken).toEqual([list?.messageId]);
  });
});
