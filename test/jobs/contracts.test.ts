import { expect, test } from "vitest";
import { z } from "zod";
import { jobs } from "../../src/jobs/index.ts";
import { queues } from "../../src/jobs/queues.ts";

/** A payload crosses deployments: it has to be plain JSON, and a change of it has to be seen and get a new version. */
test.each(Object.values(jobs))(
  "$name version $version keeps its contract",
  ({ queue, version, payload, retry, priority, timeoutMs }) => {
    expect({ queue, version, priority, retry, timeoutMs, payload: z.toJSONSchema(payload) }).toMatchSnapshot();
  },
);

test.each(Object.values(jobs))("$name says in a sentence what it does", ({ description }) => {
  expect(description).toMatch(/^[A-Z].{20,}\.$/);
});

test.each(Object.entries(queues))("the queue %s lets a dead worker's job run again within 45 s", (_name, queue) => {
  expect(queue.lockMs + 2 * queue.stalledMs).toBeLessThan(45_000);
});
