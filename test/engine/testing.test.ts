import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineJob } from "../../src/engine/define-job.ts";
import { enqueue } from "../../src/engine/outbox.ts";
import type { Processor } from "../../src/engine/processor.ts";
import { assertEnqueued, drainQueue, performJob } from "../../src/engine/testing.ts";
import { PermanentError } from "../../src/errors.ts";
import { useDatabase } from "../support/database.ts";

const greet = defineJob({
  name: "greet",
  queue: "greetings",
  payload: z.object({ id: z.uuid(), name: z.string() }),
  key: ({ id }) => id,
  entity: ({ id }) => ({ type: "greeting", id }),
  description: "Greets a person.",
});

interface Context {
  greeted: string[];
}

const greeter: Processor<{ id: string; name: string }, Context> = {
  async run(job, { greeted }) {
    if (job.payload.name === "") throw new PermanentError("There is no name to greet");
    if (job.payload.name === "later") return job.snooze(60_000);
    await job.complete(async () => {
      greeted.push(job.payload.name);
      return { greeted: job.payload.name };
    });
  },
};

describe("the testing door", () => {
  const db = useDatabase();
  const kinds = { jobs: { greet }, processors: { greet: greeter } };
  const promise = (name: string) => db.transaction((tx) => enqueue(tx, greet, { id: randomUUID(), name }));

  test("assertEnqueued finds jobs by parts of their payload, and says what there is instead", async () => {
    await promise("Anna");
    const [job] = await assertEnqueued(db.manager, greet, { payload: { name: "Anna" }, count: 1 });
    expect(job).toMatchObject({ kind: "greet", state: "open" });
    await assertEnqueued(db.manager, greet, { payload: { name: "Boris" }, count: 0 });
    await expect(assertEnqueued(db.manager, greet, { payload: { name: "Boris" } })).rejects.toThrow(
      /at least one of 'greet' .*"Boris".* 0 are.*"Anna"/s,
    );
  });

  test("drainQueue runs what is due, each once, and counts how it ended", async () => {
    const context: Context = { greeted: [] };
    await promise("");
    await promise("later");
    expect(await drainQueue({ db, queue: "greetings", kinds, context })).toEqual({ succeeded: 1, failed: 1, open: 1 });
    expect(context.greeted).toEqual(["Anna"]);
    expect(await drainQueue({ db, queue: "greetings", kinds, context })).toEqual({});
  });

  test("performJob runs one job and shows its row, or the error that ended it", async () => {
    const context: Context = { greeted: [] };
    const done = await performJob(db, greet, { id: randomUUID(), name: "Vera" }, greeter, context);
    expect(done).toMatchObject({ job: { state: "succeeded", result: { greeted: "Vera" } }, error: null });
    const failed = await performJob(db, greet, { id: randomUUID(), name: "" }, greeter, context);
    expect(failed).toMatchObject({ job: { state: "failed" }, error: { message: "There is no name to greet" } });
  });

  test("performJob refuses a payload whose job is over already", async () => {
    const payload = { id: randomUUID(), name: "Oleg" };
    const context: Context = { greeted: [] };
    await performJob(db, greet, payload, greeter, context);
    await expect(performJob(db, greet, payload, greeter, context)).rejects.toThrow(
      /'greet' with this key, .* was enqueued before/,
    );
    expect(context.greeted).toEqual(["Oleg"]);
  });
});
