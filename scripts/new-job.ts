import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type QueueName, queueNames } from "../src/jobs/queues.ts";

// `npm run new:job <name> <queue>` writes what a job consists of: see docs/engine.md.

/** The files of a new job by path, whole as they are to be; `read` gives those that are changed. Throws in words. */
export function filesOf(name: string, queue: string, read: (path: string) => string): Record<string, string> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(name))
    throw new Error(`'${name}' is no name for a job: say what it does in small letters, like 'send-invoice'`);
  if (!queueNames.includes(queue as QueueName))
    throw new Error(`There is no queue '${queue}'; there are ${queueNames.join(", ")}`);
  const lists = ["src/jobs/index.ts", "src/workers/processors/index.ts", "src/services/operations/job-rights.ts"];
  const [jobs = "", processors = "", rights = ""] = lists.map(read);
  if (jobs.includes(`"./${name}.ts"`)) throw new Error(`There is a job '${name}' already: src/jobs/${name}.ts`);
  const variable = name.replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase());
  const processor = `${variable}Processor`;
  return {
    [`src/jobs/${name}.ts`]: contract(name, variable, queue),
    [`src/workers/processors/${name}.ts`]: work(name, processor),
    [`test/workers/processors/${name}.test.ts`]: test(name, variable, processor),
    "src/jobs/index.ts": withLine(
      withImport(jobs, variable, name),
      "export const jobs = {",
      `  [${variable}.name]: ${variable},`,
    ),
    "src/workers/processors/index.ts": withLine(
      withImport(processors, processor, name),
      "export const processors: { [N in JobName]: Processor<N> } = {",
      `  "${name}": ${processor},`,
    ),
    "src/services/operations/job-rights.ts": withLine(rights, "export const ordinaryKinds = [", `  "${name}",`),
  };
}

const contract = (name: string, variable: string, queue: string) => `import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Says what the job promises. */
export const ${variable} = defineJob({
  name: "${name}",
  queue: "${queue}",
  payload: z.object({ id: z.uuid() }),
  key: ({ id }) => id,
  entity: ({ id }) => ({ type: "${name}", id }),
  description: "Says in one sentence what it does.",
});
`;

const work = (name: string, processor: string) => `import type { Processor } from "../context.ts";

/** Says how the work is done, and why it may be repeated. */
export const ${processor}: Processor<"${name}"> = {
  async run(job) {
    await job.complete(async () => ({ done: job.payload.id }));
  },
};
`;

const test = (name: string, variable: string, processor: string) => `import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { performJob } from "../../../src/engine/testing.ts";
import { ${variable} } from "../../../src/jobs/${name}.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { ${processor} } from "../../../src/workers/processors/${name}.ts";
import { useDatabase } from "../../support/database.ts";

const db = useDatabase();
const context = {} as WorkerContext;

test("${name} does its work", async () => {
  const id = randomUUID();
  const { job, error } = await performJob(db, ${variable}, { id }, ${processor}, context);
  expect(error).toBeNull();
  expect(job).toMatchObject({ state: "succeeded", result: { done: id } });
});

test("${name} is finished by a person", () => {
  expect.fail(\`Left to do:
    1. src/jobs/${name}.ts: payload, key, entity, description; docs/engine.md has all options.
    2. src/workers/processors/${name}.ts: the work, and what this file asks of it.
    3. Enqueue it where it is needed: enqueue(tx, ${variable}, …) in a service.
    4. src/services/operations/job-rights.ts: it is an ordinary kind; give it lines of its own if it is not.
    5. npx vitest run test/jobs -u writes its contract into the snapshot. Then remove this test.\`);
});
`;

function withImport(text: string, symbol: string, name: string) {
  const lines = text.split("\n");
  const line = `import { ${symbol} } from "./${name}.ts";`;
  const last = lines.findLastIndex((one) => one.startsWith("import "));
  const at = lines.findIndex(
    (one) => /from "\.\/[^/]+\.ts";$/.test(one) && one.replace(/.*"\.\//, "") > `${name}.ts";`,
  );
  lines.splice(at === -1 || at > last ? last + 1 : at, 0, line);
  return lines.join("\n");
}

/** Throws when the list is not where it was. */
function withLine(text: string, after: string, line: string) {
  if (!text.includes(`${after}\n`)) throw new Error(`'${after}' was not found: add the line '${line.trim()}' by hand`);
  return text.replace(`${after}\n`, `${after}\n${line}\n`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [name = "", queue = ""] = process.argv.slice(2);
  try {
    const files = filesOf(name, queue, (path) => readFileSync(path, "utf8"));
    for (const path of Object.keys(files).slice(0, 3))
      if (existsSync(path)) throw new Error(`${path} is there already; nothing was written`);
    for (const [path, text] of Object.entries(files)) writeFileSync(path, text);
    process.stdout.write(`${Object.keys(files).join("\n")}\n\nWhat is left to do:\n`);
    process.stdout.write(`  npm test -- test/workers/processors/${name}.test.ts\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nUsage: npm run new:job <name> <queue>\n`);
    process.exitCode = 1;
  }
}
