import { setTimeout as sleep } from "node:timers/promises";
import { type Contestant, type Producer, pageSize, producers } from "./contestant.ts";

// One process of a contestant: `node child.ts <contestant> producer|worker`, steered over IPC.

const [, , name = "", role] = process.argv;
const servers = { databaseUrl: String(process.env.DATABASE_URL), redisUrl: String(process.env.REDIS_URL) };
const { contestant } = (await import(`./${name}.ts`)) as { contestant: Contestant };

process.on("disconnect", () => process.exit(0));

const now = () => performance.timeOrigin + performance.now();
const tell = (message: object) => void process.send?.(message);

/** What the bench says to a child, and what it hears. */
export type Order =
  | { do: "one by one"; from: number; count: number }
  | { do: "flood"; from: number; count: number; isPaged: boolean }
  | { do: "count"; count: number };

if (role === "prepare") {
  await contestant.prepare?.(servers);
  process.exit(0);
}
if (role === "worker") await work();
else await produce();
tell({ ready: true });

async function work() {
  let counting = { wanted: 0, finished: 0 };
  const starts: [number, number][] = [];
  let isTimed = false;
  process.on("message", (order: Order) => {
    if (order.do !== "count") return;
    isTimed = order.count <= 1_000;
    starts.length = 0;
    counting = { wanted: order.count, finished: 0 };
    tell({ counting: true });
  });
  await contestant.worker(
    servers,
    (n) => {
      if (isTimed) starts.push([n, now()]);
    },
    () => {
      counting.finished++;
      if (counting.finished === counting.wanted) {
        tell({ done: now(), starts, cpu: process.cpuUsage() });
      }
    },
  );
}

async function produce() {
  const producer = await contestant.producer(servers);
  process.on("message", async (order: Order) => {
    if (order.do === "one by one") tell({ added: await oneByOne(producer, order) });
    if (order.do === "flood") {
      const began = now();
      await flood(producer, order);
      tell({ began, cpu: process.cpuUsage() });
    }
  });
}

/** When each was there to be run: for ours after the commit, for the others when their call returned or began. */
async function oneByOne(producer: Producer, { from, count }: { from: number; count: number }) {
  const added: [number, number, number][] = [];
  for (let n = from; n < from + count; n++) {
    const began = now();
    await producer.one(n);
    added.push([n, began, now()]);
    await sleep(5 + Math.random() * 15);
  }
  return added;
}

async function flood(
  { one, page }: Producer,
  { from, count, isPaged }: { from: number; count: number; isPaged: boolean },
) {
  const [add, step, lanes] = isPaged ? ([page, pageSize, 2] as const) : ([one, 1, producers] as const);
  let next = from;
  const lane = async () => {
    while (next < from + count) {
      const n = next;
      next += step;
      await add(n);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
