import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { createBoardActions } from "../../../src/api/board/board-actions.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { ForbiddenError, ReasonNeededError } from "../../../src/errors.ts";
import { type JobName, jobs } from "../../../src/jobs/index.ts";
import {
  type Act,
  ordinaryKinds,
  type Rank,
  ranks,
  rights,
  rightTo,
  strictest,
} from "../../../src/services/operations/job-rights.ts";
import { call, useApi } from "../../support/api.ts";
import { type Attempt, compare, type Door, insertJob, operators, outcomeOf, usePeople } from "../../support/rights.ts";
import { runTcf } from "../../support/tcf.ts";
import { addUser } from "../../support/users.ts";

const api = useApi({ relay: false, operators });
const people = usePeople(api);
const kinds = Object.keys(jobs) as JobName[];

beforeEach(() => api.db.query("DELETE FROM queue_pause; DELETE FROM mails; DELETE FROM job_outbox; DELETE FROM job"));

async function send(method: string, path: string, { who, reason }: Attempt, body: object = {}) {
  const token = await people[who].token();
  const isForm = path.startsWith("/admin");
  const fields = { ...body, ...(reason !== undefined && { reason }) };
  const { status } = await call(api.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(!isForm && { "content-type": "application/json" }) },
    body: isForm ? new URLSearchParams(fields as Record<string, string>) : JSON.stringify(fields),
  });
  return outcomeOf(status);
}

async function tcf({ who, reason }: Attempt, ...words: string[]) {
  const reasoned = reason === undefined ? [] : ["--reason", reason];
  const { code, said } = await runTcf(api, operators, ["--as", people[who].email, ...words, ...reasoned]);
  if (code === 64) expect(said).toContain("--reason");
  else if (code === 1) expect(said).toMatch(/Access denied|only staff controls jobs/);
  return ({ 0: "done", 1: "forbidden", 64: "no reason" } as const)[code] ?? expect.fail(said);
}

/** Bull Board's own list of jobs has the buttons of what is everybody's, by way of the boardActions. */
const list =
  (act: Act, press: (boardActions: ReturnType<typeof createBoardActions>, id: string) => Promise<unknown>): Door =>
  async ({ who, reason = null, what }) => {
    const boardActions = createBoardActions(api.context, api.queues);
    const operator = { id: people[who].id, rank: who, reason };
    try {
      await boardActions.as({ operator, traceId: "a test", act }, () => press(boardActions, what));
      return "done";
    } catch (error) {
      if (error instanceof ForbiddenError) return "forbidden";
      if (error instanceof ReasonNeededError) return "no reason";
      throw error;
    }
  };

const doors: Partial<Record<Act, Record<string, Door>>> = {
  cancel: {
    REST: (attempt) => send("POST", `/jobs/${attempt.what}/cancel`, attempt),
    "the page in the ledger": (attempt) => send("POST", `/admin/queues/ledger/${attempt.what}/cancel`, attempt),
    "Bull Board": list("cancel", (boardActions, id) => boardActions.cancel([id])),
    tcf: (attempt) => tcf(attempt, "jobs", "cancel", attempt.what),
  },
  retry: {
    REST: (attempt) => send("POST", `/jobs/${attempt.what}/retry`, attempt),
    "the page in the ledger": (attempt) => send("POST", `/admin/queues/ledger/${attempt.what}/retry`, attempt),
    "Bull Board": list("retry", (boardActions, id) => boardActions.retry([id])),
    tcf: (attempt) => tcf(attempt, "jobs", "retry", attempt.what),
  },
  clear: { "Bull Board": list("clear", (boardActions, id) => boardActions.cancel([id])) },
};

describe.each(["cancel", "retry", "clear"] as const)("the right to %s", (act) => {
  const isOver = act === "retry";
  for (const [name, door] of Object.entries(doors[act] ?? {})) {
    test.each(kinds)(`a %s is the same in ${name} as in the table`, { timeout: 30_000 }, async (kind) => {
      for (const who of ranks) {
        await compare(door, rightTo(act, kind, false), who, () => insertJob(api.db, kind, { isOver }));
        const actorId = people[who].id;
        // Customers get no further than the login page; what is theirs is theirs over REST.
        const own = who === "customer" && (name !== "REST" || act === "retry") ? undefined : rightTo(act, kind, true);
        if (who !== "customer" || name !== "Bull Board")
          await compare(door, own, who, () => insertJob(api.db, kind, { actorId, isOver }));
      }
    });

    test(`a part of a newsletter is in ${name} the right to the newsletter`, { timeout: 30_000 }, async () => {
      const parentId = await insertJob(api.db, "send-newsletter", {});
      const lines = ["send-mail", "send-newsletter"].map((kind) => ({ kind, isOwn: false }));
      for (const who of ranks)
        await compare(door, strictest(act, lines), who, () => insertJob(api.db, "send-mail", { parentId, isOver }));
    });
  }
});

describe("the right to replay", () => {
  const replays: Record<string, Door> = {
    REST: (attempt) => send("POST", "/jobs/replays", attempt, { filter: { kind: attempt.what } }),
    tcf: (attempt) => tcf(attempt, "jobs", "replay", "--kind", attempt.what),
    "Bull Board": async (attempt) => {
      const { id } = await api.db.manager.findOneByOrFail(Job, { kind: attempt.what, state: "failed" });
      return list("replay", (boardActions) => boardActions.retry([id]))(attempt);
    },
  };
  for (const [name, door] of Object.entries(replays)) {
    test.each(kinds)(`jobs of kind %s is the same in ${name} as in the table`, { timeout: 30_000 }, async (kind) => {
      for (const who of ranks)
        await compare(door, rightTo("replay", kind, false), who, async () => {
          await insertJob(api.db, kind, { isOver: true });
          return kind;
        });
    });
  }

  test.each([
    ["by queue", { queue: "mail" }],
    ["by kind", { kind: "send-mail" }],
    ["by state", { state: "failed" }],
  ])("what a filter finds %s is that to each job in it, mails of newsletters among them", async (_name, filter) => {
    const parentId = await insertJob(api.db, "send-newsletter", {});
    const ask = (who: Rank) => send("POST", "/jobs/replays", { who, reason: "a test", what: "" }, { filter });
    await insertJob(api.db, "send-mail", { isOver: true });
    expect(await ask("operator")).toBe("done");
    await insertJob(api.db, "send-mail", { parentId, isOver: true });
    expect(await ask("operator")).toBe("forbidden");
    expect(await ask("admin")).toBe("done");
  });
});

describe("rights to a queue", () => {
  const pause: Record<string, Door> = {
    REST: (attempt) => send("PUT", "/queues/mail/pause", attempt),
    tcf: (attempt) => tcf(attempt, "queues", "pause", "mail"),
    "Bull Board": list("pause-queue", (boardActions) => boardActions.pause("mail")),
  };
  const resume: Record<string, Door> = {
    REST: (attempt) => send("DELETE", "/queues/mail/pause", attempt),
    tcf: (attempt) => tcf(attempt, "queues", "resume", "mail"),
    "Bull Board": list("resume-queue", (boardActions) => boardActions.resume("mail")),
  };
  const tune: Record<string, Door> = { tcf: (attempt) => tcf(attempt, "queues", "weigh", "mail", "a group", "2") };
  const all = { "pause-queue": pause, "resume-queue": resume, "tune-queue": tune };
  for (const [act, byName] of Object.entries(all)) {
    test.each(Object.entries(byName))(`to ${act} are the same in %s as in the table`, async (_name, door) => {
      for (const who of ranks) await compare(door, rightTo(act as Act, "", false), who, async () => "mail");
    });
  }
});

describe("the rest of the table", () => {
  test.each([
    ["start", "/mail/newsletters", "send-newsletter"],
    ["start", "/images/reprocess", "reprocess-images"],
    ["start", "/users/:id/erasure", "erase-person"],
    ["pause", "/mail/newsletters/:id/pause", "send-newsletter"],
    ["resume", "/mail/newsletters/:id/resume", "send-newsletter"],
  ] as const)("'%s' at %s takes what it says", async (act, path, kind) => {
    for (const who of ranks)
      await compare(
        (attempt) => send("POST", path.replace(":id", attempt.what), attempt),
        rightTo(act, kind, false),
        who,
        async () => {
          if (kind === "erase-person") return (await addUser(api.db)).id;
          const id = await insertJob(api.db, "send-newsletter", {});
          const payload = { newsletterId: randomUUID(), customerTypes: ["USER_RETAIL"] };
          await api.db.query("UPDATE job SET payload = $2 WHERE id = $1", [id, payload]);
          return id;
        },
      );
  });

  test.each([
    ["one of its own", false],
    ["one of a newsletter", true],
  ])("'resend' at /mail/{mail_id}/resend takes of %s what it says", async (_name, isPart) => {
    const right = rightTo("resend", isPart ? "send-newsletter" : "send-mail", false);
    for (const who of ranks)
      await compare(
        (attempt) => send("POST", `/mail/${attempt.what}/resend`, attempt),
        right,
        who,
        async () => {
          const parentId = isPart ? await insertJob(api.db, "send-newsletter", {}) : null;
          const [id, jobId] = [randomUUID(), await insertJob(api.db, "send-mail", { parentId, isOver: true })];
          await api.db.query(
            `INSERT INTO mails (id, send_key, kind, recipient, language, parameters, job_id, state)
           VALUES ($1, $2, 'price-list', 'a@test.example', 'ru', '{}', $3, 'failed')`,
            [id, id, jobId],
          );
          return id;
        },
      );
  });

  test("lets admins alone steer a newsletter, by every act", () => {
    for (const act of Object.keys(rights) as Act[])
      for (const isOwn of [true, false])
        if (act !== "promote" && !act.endsWith("-queue"))
          expect([act, rightTo(act, "send-newsletter", isOwn)?.minRank]).toEqual([act, "admin"]);
  });

  test("asks for a reason wherever many jobs are cancelled or replayed at once", () => {
    for (const kind of kinds)
      for (const act of ["replay", "clear"] as const) expect(rightTo(act, kind, false)?.needsReason).not.toBe(false);
    for (const kind of ["send-newsletter", "reprocess-images", "replay-jobs"])
      for (const act of ["cancel", "retry"] as const)
        expect(rightTo(act, kind, true)).toMatchObject({ needsReason: true });
  });

  test.each(kinds)("says of %s on purpose that it is like any other, or what else may be done to it", (kind) => {
    const acts = ["cancel", "retry", "replay", "clear"] as const;
    const lines = acts.map((act) => Object.hasOwn(rights[act], kind));
    const isOrdinary = (ordinaryKinds as readonly string[]).includes(kind);
    expect(lines).toEqual(acts.map(() => !isOrdinary));
  });

  test("lets no rank end an erasure half way, and admins alone have it go on", () => {
    const may = (act: Act) => [true, false].map((isOwn) => rightTo(act, "erase-person", isOwn)?.minRank);
    expect({ cancel: may("cancel"), clear: may("clear") }).toEqual({
      cancel: [undefined, undefined],
      clear: [undefined, undefined],
    });
    for (const act of ["start", "retry", "replay"] as const) expect(may(act)).toEqual(["admin", "admin"]);
  });
});
