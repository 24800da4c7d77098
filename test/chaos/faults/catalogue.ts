import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../dev/demo/random.ts";
import type { Stack } from "../stack.ts";

/** Something that goes wrong. `run` resolves when it is over; what it says is shown in the report. */
export interface Fault {
  name: string;
  run(stack: Stack, random: Random): Promise<string>;
}

/** `kill -9` of one of the processes whose names begin so. */
export const killOne = (prefix: string): Fault => ({
  name: `kill ${prefix}`,
  async run({ fleet }, random) {
    const name = random.pick(fleet.names(prefix));
    fleet.kill(name);
    return name;
  },
});

/** Redis dies, comes back after so long, and has forgotten everything. */
export const wipedRedis = (awayMs: number): Fault => ({
  name: `Redis wiped, away ${awayMs / 1_000} s`,
  async run({ redis }) {
    await redis.kill();
    redis.wipe();
    await sleep(awayMs);
    await redis.start();
    return "its data was deleted";
  },
});

/** Redis dies and comes back with its data. */
export const redisAway = (awayMs: number): Fault => ({
  name: `Redis away ${awayMs / 1_000} s`,
  async run({ redis }) {
    await redis.kill();
    await sleep(awayMs);
    await redis.start();
    return "its data was kept";
  },
});

export const halfOpenRedis = (ms: number): Fault => ({
  name: `Redis half-open ${ms / 1_000} s`,
  async run({ proxies }) {
    await proxies.redis.blackHole(ms);
    return "connected, and nothing came through";
  },
});

export const flushRedis: Fault = {
  name: "FLUSHALL",
  async run({ redis }) {
    await redis.flush();
    return "Redis forgot everything";
  },
};

export const restartPostgres: Fault = {
  name: "Postgres immediate restart",
  async run({ postgres }) {
    await postgres.restart();
    return "as after a crash";
  },
};

/** A simple query of Postgres' protocol that says COMMIT. */
const commitMessage = new RegExp(`Q${String.raw`\x00\x00\x00\x0b`}COMMIT`);

/** So many COMMITs are stored, and no client learns of it. */
export const cutAfterCommit = (times: number): Fault => ({
  name: "cut after COMMIT",
  async run({ proxies: { postgres } }) {
    const before = postgres.state.cuts;
    postgres.cutWhen({ from: "client", match: commitMessage, when: "after" }, times);
    for (const end = Date.now() + 5_000; postgres.state.cut?.times && Date.now() < end; ) await sleep(20);
    postgres.heal();
    return `${postgres.state.cuts - before} commits`;
  },
});

export const freezeWorker = (ms: number): Fault => ({
  name: `worker frozen ${ms / 1_000} s`,
  async run({ fleet }, random) {
    const name = random.pick(fleet.names("worker"));
    await fleet.freeze(name, ms);
    return name;
  },
});

/** Where in an SMTP dialogue a connection breaks. */
export const smtpCuts = {
  "before MAIL": { from: "client", match: /MAIL FROM:/, when: "before" },
  "in DATA": { from: "client", match: /long enough to be cut/, when: "after" },
  "after the dot": { from: "client", match: /\r\n\.\r\n$/, when: "after" },
} as const;

export const cutSmtp = (place: keyof typeof smtpCuts, times: number): Fault => ({
  name: `SMTP cut ${place}`,
  async run({ proxies: { smtp } }) {
    const before = smtp.state.cuts;
    smtp.cutWhen(smtpCuts[place], times);
    for (const end = Date.now() + 5_000; smtp.state.cut?.times && Date.now() < end; ) await sleep(20);
    smtp.heal();
    return `${smtp.state.cuts - before} connections`;
  },
});

const failS3 = (requests: number): Fault => ({
  name: "S3 503",
  async run({ bucket }) {
    const before = bucket.state.failed;
    bucket.state.failing = requests;
    await sleep(3_000);
    bucket.state.failing = 0;
    return `${bucket.state.failed - before} requests`;
  },
});

const resetRedis: Fault = {
  name: "Redis connections reset",
  async run({ proxies }) {
    proxies.redis.reset();
    return "all of them";
  },
};

const slowPostgres: Fault = {
  name: "Postgres slow",
  async run({ proxies }) {
    proxies.postgres.delay(20, 30);
    await sleep(2_000);
    proxies.postgres.delay(0, 0);
    return "20 to 50 ms more each way, for 2 s";
  },
};

const cutPostgresInTheMiddle: Fault = {
  name: "Postgres cut in the middle",
  async run({ proxies: { postgres } }, random) {
    const bytes = random.int(1_000, 20_000);
    postgres.closeAfter(bytes);
    await sleep(500);
    postgres.heal();
    return `after ${bytes} bytes, for half a second`;
  },
};

/** What every run has, in this order of importance; a short run has the first ones. */
const always: Fault[] = [
  flushRedis,
  killOne("worker"),
  freezeWorker(8_000),
  wipedRedis(3_000),
  killOne("producer"),
  restartPostgres,
  killOne("worker"),
  cutSmtp("after the dot", 2),
  killOne("relay"),
  cutAfterCommit(3),
  failS3(20),
  killOne("worker"),
  flushRedis,
  cutSmtp("in DATA", 2),
  killOne("producer"),
  cutSmtp("before MAIL", 2),
  halfOpenRedis(4_000),
  killOne("api"),
  freezeWorker(8_000),
  freezeWorker(8_000),
  freezeWorker(8_000),
];
const others: Fault[] = [
  ...[killOne("worker"), killOne("worker"), killOne("worker"), killOne("worker")],
  ...[killOne("producer"), killOne("relay"), killOne("api"), resetRedis, slowPostgres, cutPostgresInTheMiddle],
  ...[cutSmtp("after the dot", 2), cutSmtp("in DATA", 2), cutAfterCommit(3), failS3(20)],
];

/** So many faults in an order of chance, for these processes; every run has the important ones. */
export function chooseFaults(random: Random, count: number, processes: readonly string[]): Fault[] {
  const isPossible = ({ name }: Fault) =>
    !name.startsWith("kill ") || processes.some((one) => one.startsWith(name.slice("kill ".length)));
  const important = always.filter(isPossible).slice(0, count);
  const possible = others.filter(isPossible);
  const more = Array.from({ length: count - important.length }, () => random.pick(possible));
  return random.shuffle([...important, ...more]);
}
