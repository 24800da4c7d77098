import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { mailSuppressions } from "../../../../src/db/dao/mail/mail-suppressions.ts";
import { mails } from "../../../../src/db/dao/mail/mails.ts";
import { Mail } from "../../../../src/db/entities/mail/mail.ts";
import { CancelledError, FencedError, findJob, type HeldClaim } from "../../../../src/engine/ledger.ts";
import { requestMails } from "../../../../src/services/mail/mails.ts";
import { cancelJob } from "../../../../src/services/operations/job-control.ts";
import { useDatabase } from "../../../support/database.ts";
import { untilBlocked } from "../../../support/locks.ts";
import { anAdmin } from "../../../support/operators.ts";

const db = useDatabase();

/** A mail that was promised, and the claim of a worker on its job. */
async function addMail() {
  const request = { event: randomUUID(), kind: "welcome", recipient: `${randomUUID()}@test.example` } as const;
  const [jobId = ""] = await db.transaction((tx) => requestMails(tx, [request]));
  await db.query("UPDATE job SET state = 'running', epoch = 1, claimed_by = 'one' WHERE id = $1", [jobId]);
  const { id } = await db.manager.findOneByOrFail(Mail, { jobId });
  const claim: HeldClaim = { id: jobId, epoch: 1, claimedBy: "one" };
  return { id, messageId: `${id}@test.example`, claim, recipient: request.recipient };
}
type Added = Awaited<ReturnType<typeof addMail>>;

const find = (id: string) => db.manager.findOneByOrFail(Mail, { id });
const jobState = async ({ claim }: Added) => (await findJob(db.manager, claim.id))?.state;
const reply = { code: 250, text: "250 taken" };

/** One whose claim holds, one that another worker has since, one that is cancelled, one that is sent. */
let own: Added;
let lost: Added;
let cancelled: Added;
let sent: Added;
beforeEach(async () => {
  [own, lost, cancelled, sent] = [await addMail(), await addMail(), await addMail(), await addMail()];
  await db.query("UPDATE job SET epoch = 2, claimed_by = 'another' WHERE id = $1", [lost.claim.id]);
  await db.transaction((tx) => cancelJob(tx, cancelled.claim.id, anAdmin));
  await db.query("UPDATE mails SET state = 'sent', sent_at = now() WHERE id = $1", [sent.id]);
});

describe("what begins together", () => {
  test("goes out only in the name of claims that hold, each by itself", async () => {
    const begun = await mails.markSending(db.manager, [lost, own, sent, cancelled]);
    expect(begun).toEqual([
      expect.any(FencedError),
      { messageId: own.messageId, epoch: 1 },
      undefined,
      expect.any(CancelledError),
    ]);
    const states = await Promise.all([lost, own, sent, cancelled].map(async ({ id }) => (await find(id)).state));
    expect(states).toEqual(["queued", "sending", "sent", "queued"]);
    expect(await find(own.id)).toMatchObject({ epoch: 1, tries: 1, messageId: own.messageId });
  });

  test("keeps the Message-ID that it has, and is told from an older claim by name as well", async () => {
    await mails.markSending(db.manager, [own]);
    expect(await mails.markSending(db.manager, [{ ...own, messageId: "other@test.example" }])).toEqual([
      { messageId: own.messageId, epoch: 1 },
    ]);
    const named = { ...own, claim: { ...own.claim, claimedBy: "two" } };
    expect(await mails.markSending(db.manager, [named])).toEqual([expect.any(FencedError)]);
    expect((await find(own.id)).tries).toBe(2);
  });

  test("waits for the worker that takes the job over, and does not begin then", async () => {
    const runner = db.createQueryRunner();
    await runner.startTransaction();
    await runner.query("UPDATE job SET epoch = 2, claimed_by = 'another' WHERE id = $1", [own.claim.id]);
    const beginning = mails.markSending(db.manager, [own]);
    await untilBlocked(db, 1);
    await runner.commitTransaction();
    await runner.release();
    expect(await beginning).toEqual([expect.any(FencedError)]);
    expect((await find(own.id)).state).toBe("queued");
  });
});

describe("what ends together", () => {
  test("is sent whichever worker has the job now, and ends the jobs whose claims hold", async () => {
    const ends = [own, lost].map(({ id, claim }) => ({ id, claim, reply }));
    expect(await mails.markSent(db.manager, ends)).toEqual([true, false]);
    for (const { id } of [own, lost])
      expect(await find(id)).toMatchObject({ state: "sent", smtpCode: 250, serverAnswer: "250 taken" });
    expect([await jobState(own), await jobState(lost)]).toEqual(["succeeded", "running"]);
    expect((await findJob(db.manager, own.claim.id))?.result).toEqual({ code: 250 });
  });

  test("may be said again", async () => {
    const end = { id: own.id, claim: own.claim, reply };
    await mails.markSent(db.manager, [end]);
    const { sentAt } = await find(own.id);
    expect(await mails.markSent(db.manager, [end])).toEqual([false]);
    expect((await find(own.id)).sentAt).toEqual(sentAt);
  });
});

test("what is to be sent is read in the order it is asked for, with what stands against it", async () => {
  const detail = "550 no such user";
  await mailSuppressions.add(db.manager, { address: own.recipient, reason: "bounce", detail, createdBy: null });
  const newsletterId = randomUUID();
  await db.query("INSERT INTO job_group_pause (queue, group_key) VALUES ('mail', $1)", [newsletterId]);
  const gone = randomUUID();
  const asked = [{ mailId: gone }, { mailId: lost.id, newsletterId }, { mailId: own.id, newsletterId: randomUUID() }];
  const found = await mails.findToSend(db.manager, asked);
  expect(found[0]).toBeNull();
  expect(found[1]).toMatchObject({ ...(await find(lost.id)), suppressedFor: null, isPaused: true });
  expect(found[2]).toMatchObject({ id: own.id, suppressedFor: "bounce", suppressionDetail: detail, isPaused: false });
});
