import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { environment } from "../src/config.ts";
import { queueNames, queues } from "../src/jobs/queues.ts";

type Block = Record<string, string>;

const compose = readFileSync("docker-compose.yml", "utf8");
const example = readFileSync(".env.example", "utf8");

const namesOf = (kind: keyof typeof environment) => Object.keys(environment[kind].shape).sort();

describe(".env.example", () => {
  const lines = example.split("\n");
  const assigned = lines.flatMap((line) => /^([A-Z][A-Z0-9_]*)=/.exec(line)?.[1] ?? []);
  const values = Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
      return name && value ? [[name, value]] : [];
    }),
  );

  it("has every variable of src/config.ts once, and no other", () => {
    expect(assigned.toSorted()).toEqual([...new Set([...namesOf("api"), ...namesOf("worker")])].sort());
  });

  it("explains every variable in the line above", () => {
    const bare = lines.filter((line, at) => /^[A-Z]/.test(line) && !lines[at - 1]?.startsWith("# "));
    expect(bare).toEqual([]);
  });

  it.each(["api", "worker"] as const)("has values that the %s accepts", (kind) => {
    expect(environment[kind].safeParse(values).error).toBeUndefined();
  });
});

describe("docs/operations/configuration.md", () => {
  const rows = readFileSync("docs/operations/configuration.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const cells = rows.map((row) =>
    row
      .split("|")
      .slice(1)
      .map((cell) => cell.trim()),
  );

  it("explains every variable of src/config.ts once, and no other", () => {
    const named = cells.flatMap(([names = ""]) =>
      Array.from(names.matchAll(/`([A-Z][A-Z0-9_]*)`/g), ([, name]) => name),
    );
    expect(named.sort()).toEqual([...new Set([...namesOf("api"), ...namesOf("worker")])].sort());
  });

  it("says which processes read each", () => {
    const readers = (name: string) => {
      const kinds = (["database", "api", "worker"] as const).filter((kind) => name in environment[kind].shape);
      return { 3: "all", 2: "API, worker", 1: kinds[0] === "api" ? "API" : "worker" }[kinds.length as 1 | 2 | 3];
    };
    for (const [names = "", , process] of cells)
      for (const [, name = ""] of names.matchAll(/`([A-Z0-9_]+)`/g))
        expect(`${name}: ${process}`).toBe(`${name}: ${readers(name)}`);
  });

  it("says what each is when it is not set", () => {
    const given = {
      DATABASE_URL: "postgres://a/b",
      REDIS_URL: "redis://a",
      S3_BUCKET_NAME: "a",
      S3_ACCESS_KEY: "a",
      S3_SECRET_KEY: "a",
    };
    const defaults = { ...environment.worker.parse(given), ...environment.api.parse({ ...given, API_KEY: "" }) };
    for (const [names = "", shown = ""] of cells) {
      const [, value] = /^`([^`]*)`$/.exec(shown) ?? [];
      const [, name = ""] = /^`(\w+)`$/.exec(names) ?? [];
      const actual = defaults[name as keyof typeof defaults];
      if (value !== undefined && typeof actual !== "object" && actual !== undefined)
        expect(`${name}: ${value}`).toBe(`${name}: ${actual}`);
    }
  });
});

describe("docker-compose.yml", () => {
  it("sets every variable of the API, and no other", () => {
    expect(Object.keys(environmentOf("api")).sort()).toEqual(namesOf("api"));
  });

  it("sets every variable of the migrations, and no other", () => {
    expect(Object.keys(environmentOf("migrate")).sort()).toEqual(namesOf("database"));
  });

  it.each(queueNames)("has a worker for queue %s, with every variable of a worker and no other", (queue) => {
    const variables = environmentOf(`worker-${queue}`);
    expect(variables.WORKER_QUEUES).toBe(queue);
    expect(Object.keys(variables).sort()).toEqual(namesOf("worker"));
  });

  it("has no worker without a queue", () => {
    const workers = Array.from(compose.matchAll(/^ {2}worker-(\S+):$/gm), ([, queue]) => queue);
    expect(workers).toEqual(Object.keys(queues));
  });

  it.each(["api", ...queueNames.map((queue) => `worker-${queue}`)])(
    "gives %s 10 s more than it takes to drain",
    (name) => {
      const grace = Number(/stop_grace_period: (\d+)s/.exec(blockOf(`  ${name}:`))?.[1]);
      expect(grace * 1_000).toBeGreaterThanOrEqual(Number(environmentOf(name).DRAIN_TIMEOUT_MS) + 10_000);
    },
  );

  it("opens ports to this machine only", () => {
    const published = Array.from(compose.matchAll(/^ {4}ports: \[(.+)\]$/gm), ([, ports = ""]) =>
      ports.split(", "),
    ).flat();
    expect(compose.match(/^ +ports:/gm)?.length).toBe(compose.match(/^ {4}ports: \[/gm)?.length);
    expect(published.length).toBeGreaterThan(0);
    expect(published.filter((port) => !/^"127\.0\.0\.1:\d+:\d+"$/.test(port))).toEqual([]);
  });
});

/** The variables of a service, with those of the blocks that it merges. */
function environmentOf(service: string): Block {
  const block = blockOf(`  ${service}:`);
  const whole = /^ {4}environment: \*(\S+)$/m.exec(block)?.[1];
  return whole ? anchored(whole) : variables(blockOf("    environment:", block), 6);
}

function anchored(name: string): Block {
  return variables(blockOf(`x-${name}: &${name}`), 2);
}

/** Names and values at this indentation; `<<: *a` and `<<: [*a, *b]` are followed. */
function variables(block: string, indentation: number): Block {
  const own: Block = {};
  for (const line of block.split("\n")) {
    const [, spaces, name, value = ""] = /^( +)(<<|[A-Z][A-Z0-9_]*): ?(.*)$/.exec(line) ?? [];
    if (spaces?.length !== indentation || !name) continue;
    if (name === "<<") for (const [, merged = ""] of value.matchAll(/\*(\w+)/g)) Object.assign(own, anchored(merged));
    else own[name] = value;
  }
  return own;
}

/** The lines below this one that are indented more. */
function blockOf(head: string, text = compose): string {
  const lines = text.split("\n");
  const first = lines.indexOf(head);
  if (first < 0) throw new Error(`docker-compose.yml has no line '${head}'`);
  const depth = head.search(/\S/);
  const rest = lines.slice(first + 1);
  const end = rest.findIndex((line) => line.trim() !== "" && line.search(/\S/) <= depth);
  return rest.slice(0, end < 0 ? undefined : end).join("\n");
}
