import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UnavailableError } from "../../src/errors.ts";
import { defineJob, priorities } from "../../src/jobs/define-job.ts";
import { createMailer, type Mailer } from "../../src/platform/mailer.ts";
import type { ProcessorOf, RunOf, WorkerContext } from "../../src/workers/context.ts";

/** Work whose effects can be counted from outside: each job moves one piece of stock, or sends one mail. */
export type Kind = "stock" | "mail";

/** Nothing here is unique but the promise: whatever happens twice is seen twice. */
export const tablesSql = `
  CREATE TABLE chaos_promise (n integer PRIMARY KEY, kind text NOT NULL);
  CREATE TABLE chaos_movement (n integer NOT NULL);
  CREATE TABLE chaos_stock (quantity integer NOT NULL);
  INSERT INTO chaos_stock VALUES (1000000);
  CREATE TABLE chaos_mail (n integer PRIMARY KEY, state text NOT NULL, sending_at timestamptz NOT NULL);`;

const payload = z.object({ n: z.int() });
const shared = {
  version: 1,
  payload,
  key: ({ n }: { n: number }) => String(n),
  entity: ({ n }: { n: number }) => ({ type: "chaos", id: String(n) }),
  priority: priorities.interactive,
  retry: { attempts: 8, backoffMs: 100, outageMs: 500 },
  timeoutMs: 30_000,
};

export const moveStock = defineJob({
  ...shared,
  name: "move-stock",
  queue: "upkeep",
  description: "Takes one piece off the stock, to be counted.",
});

export const sendNote = defineJob({
  ...shared,
  name: "send-note",
  queue: "mail",
  description: "Sends one mail to the sink, to be counted.",
});

export const jobs = { [moveStock.name]: moveStock, [sendNote.name]: sendNote };
export const definitionOf = (kind: Kind) => (kind === "stock" ? moveStock : sendNote);

/** Takes one piece off the stock in the transaction that ends the job. */
export const moveStockProcessor: ProcessorOf<{ n: number }> = {
  async run(job) {
    await sleep(5);
    await job.complete(async (tx) => {
      await tx.query("INSERT INTO chaos_movement VALUES ($1)", [job.payload.n]);
      await tx.query("UPDATE chaos_stock SET quantity = quantity - 1");
    });
  },
};

/** Longer than any pause of a process here: whoever was about to send has sent by then, or never will. */
const graceMs = 9_000;

/** Where the sink of mails is. */
export interface Sink {
  smtpPort: number;
  /** Asks whether a Message-ID has arrived. */
  probeUrl: string;
}

/**
 * Sends one mail under a durable key: its state says before the dialogue that there may be one, and what is found in
 * that state later is looked for at the sink before it is sent again.
 */
export function sendNoteProcessor({ smtpPort, probeUrl }: Sink): ProcessorOf<{ n: number }> {
  const mailer = createNoteMailer(smtpPort);
  return {
    async run(job) {
      if (await mayHaveBeenSent(job)) {
        await sleep(graceMs, undefined, { signal: job.signal });
        const arrived = await fetch(`${probeUrl}${job.payload.n}`).then((answer) => answer.json());
        if (arrived) return finish(job);
        await job.commit((tx) => tx.query("UPDATE chaos_mail SET sending_at = now() WHERE n = $1", [job.payload.n]));
      }
      try {
        await mailer.send(noteOf(job.payload.n), { signal: job.signal });
      } catch (error) {
        if ((error as Error).name !== "UncertainMailError") {
          await job.commit((tx) => tx.query("UPDATE chaos_mail SET state = 'retry' WHERE n = $1", [job.payload.n]));
        }
        throw new UnavailableError(`The sink did not take it: ${(error as Error).message}`);
      }
      return finish(job);
    },
  };
}

async function mayHaveBeenSent(job: RunOf<{ n: number }>) {
  let isOld = false;
  await job.commit(async (tx) => {
    const rows = await tx.query(
      `INSERT INTO chaos_mail VALUES ($1, 'sending', now())
       ON CONFLICT (n) DO UPDATE SET state = 'sending', sending_at = now() WHERE chaos_mail.state = 'retry'
       RETURNING n`,
      [job.payload.n],
    );
    isOld = rows.length === 0;
  });
  return isOld;
}

/** The mail is out: that has to be written down, however long it takes. */
async function finish(job: RunOf<{ n: number }>) {
  for (;;) {
    try {
      return await job.complete((tx) => tx.query("UPDATE chaos_mail SET state = 'sent' WHERE n = $1", [job.payload.n]));
    } catch (error) {
      if ((error as Error).name === "FencedError" || job.signal.aborted) throw error;
      await sleep(200);
    }
  }
}

export function createNoteMailer(port: number): Mailer {
  const from = { name: "Chaos", address: "chaos@test.example" };
  return createMailer({ host: "127.0.0.1", port, from, security: "none" });
}

export const noteOf = (n: number) => ({
  messageId: `note-${n}@test.example`,
  to: `note-${n}@test.example`,
  subject: `Note ${n}`,
  text: "text",
  html: "<p>text</p>",
});

/** What processors of the product would get; these need none of it. */
export const contextOf = (context: Pick<WorkerContext, "db" | "log" | "metrics">) =>
  context as unknown as WorkerContext;
