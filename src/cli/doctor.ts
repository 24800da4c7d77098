import { randomUUID } from "node:crypto";
import { checkMailServer, type MailServerError } from "../platform/mailer.ts";
import { createObjectStore } from "../platform/object-store.ts";
import { readShop } from "../platform/payments/yookassa.ts";
import { mailFaults } from "../platform/smtp-replies.ts";
import { checkBooks } from "./books.ts";
import type { Command, Installation } from "./command.ts";
import { lookAtMigrations, lookAtPostgres } from "./doctor-postgres.ts";
import { lookAtCache, lookAtRedis } from "./doctor-redis.ts";
import { type Finding, reasonOf } from "./findings.ts";

const probeMs = 5_000;

async function lookAtBucket({ s3 }: Installation): Promise<Finding> {
  const store = createObjectStore(s3);
  const key = `staged/doctor/${randomUUID()}`;
  try {
    await store.ping(AbortSignal.timeout(probeMs));
    await store.put(key, Buffer.from("tcf doctor"), { contentType: "text/plain" });
    await store.get(key);
    await store.remove(key);
    return { what: "bucket", state: "ok", found: `${s3.bucket} can be read and written` };
  } catch (error) {
    const advice =
      "Start it, or correct S3_ENDPOINT_URL, S3_BUCKET_NAME and the keys; docs/operations/bucket.md has the policy";
    return { what: "bucket", state: "problem", found: `${s3.bucket}: ${reasonOf(error)}`, advice };
  } finally {
    store.close();
  }
}

async function lookAtMail({ smtp }: Installation): Promise<Finding> {
  if (!smtp)
    return { what: "mail server", state: "unknown", found: "no SMTP_HOST here; ask from a worker of queue mail" };
  const where = `${smtp.host}:${smtp.port}`;
  try {
    await checkMailServer(smtp);
    return { what: "mail server", state: "ok", found: `${where} accepts the login` };
  } catch (error) {
    const { said, fault } = error as Partial<MailServerError>;
    const advice = `${mailFaults[fault ?? "unreachable"]}; see docs/runbook/mail-server-refuses.md`;
    return { what: "mail server", state: "problem", found: `${where}: ${said ?? reasonOf(error, where)}`, advice };
  }
}

async function lookAtCards({ cards }: Installation): Promise<Finding> {
  const what = "card provider";
  if (!cards) return { what, state: "ok", found: "none: customers cannot pay by card" };
  if (cards.provider === "test") return { what, state: "ok", found: "test, which takes no money" };
  try {
    const { shopId, isTest, isEnabled } = await readShop(cards, AbortSignal.timeout(probeMs));
    if (shopId !== cards.shopId || !isEnabled) {
      const found = isEnabled ? `the key belongs to shop ${shopId}` : `YooKassa has disabled shop ${shopId}`;
      return { what, state: "problem", found, advice: "Correct YOOKASSA_SHOP_ID, or look into YooKassa's cabinet" };
    }
    if (!isTest) return { what, state: "ok", found: `shop ${shopId} of YooKassa` };
    const advice = "Right for a try; for customers set number and key of the real shop";
    return { what, state: "warning", found: `shop ${shopId} of YooKassa is a test shop: it takes no money`, advice };
  } catch (error) {
    const advice =
      "Correct YOOKASSA_API_URL, YOOKASSA_SHOP_ID and YOOKASSA_SECRET_KEY, or let this host reach YooKassa";
    return { what, state: "problem", found: reasonOf(error), advice };
  }
}

const marks = { ok: "ok", warning: "WARNING", problem: "PROBLEM", unknown: "?" };

export const doctorCommands: Record<string, Command> = {
  doctor: {
    usage: "[--books]",
    about:
      "checks all dependencies of the processes, or with --books whether money, goods and papers agree, and says what to do; exit code 1 when there is a problem",
    takes: 0,
    options: { books: { type: "boolean" } },
    async run(context, _args, { books }) {
      if (books) return checkBooks(context);
      const installation = context.installation();
      const postgresLooks = Promise.all([lookAtPostgres(context), lookAtMigrations(context)]);
      const looks = [postgresLooks, lookAtRedis(installation), lookAtBucket(installation)] as const;
      const rest = [lookAtMail(installation), lookAtCards(installation)] as const;
      const [postgres, redis, bucket, mail, cards] = await Promise.all([...looks, ...rest]);
      const findings = [...postgres.flat(), ...redis, lookAtCache(installation), bucket, mail, cards];
      const lines = findings.flatMap(({ what, state, found, advice }) => [
        `${marks[state].padEnd(8)} ${what.padEnd(18)} ${found}`,
        ...(advice ? [`${" ".repeat(28)}${advice}`] : []),
      ]);
      const isBad = findings.some(({ state }) => state === "problem");
      return { data: { findings }, text: lines.join("\n"), isBad };
    },
  },
};
