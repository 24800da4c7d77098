import { setTimeout as sleep } from "node:timers/promises";
import { type Contestant, now, type Producer, pageSize, producers } from "./contestant.ts";

// One process of a contestant: `node child.js <contestant> prepare|producer|worker`, withBoardActions over IPC.

const [, , name = "", role] = process.argv;
const servers = { databaseUrl: String(process.env.DATABASE_URL), redisUrl: String(process.env.REDIS_URL) };
const { contestant } = (await import(`./contestants/${name}.js`)) as { contestant: Contestant };

process.on("disconnect", () => process.exit(0));

const tell = (message: object) => void process.send?.(message);

/** What the bench says to a child. */
export type Order =
  | { do: "one by one"; way: "one" | "unkicked"; from: number; count: number }
  | { do: "flood"; way: "one" | "page"; from: number; count: number }
  | { do: "count"; count: number; isTimed: boolean };

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
    isTimed = order.isTimed;
    starts.length = 0;
    counting = { wanted: order.count, finished: 0 };
    tell({ counting: true });
  });
  await contestant.worker(
    servers,
    (n, at = now()) => {
      if (isTimed) starts.push([n, at]);
    },
    () => {
      counting.finished++;
      if (counting.finished === counting.wanted) tell({ done: now(), starts });
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
      tell({ began });
    }
  });
}

async function oneByOne(producer: Producer, { way, from, count }: Order & { do: "one by one" }) {
  const added: [number, number][] = [];
  const add = producer[way] ?? producer.one;
  for (let n = from; n < from + count; n++) {
    added.push([n, await add(n)]);
    await sleep(5 + Math.random() * 15);
  }
  return added;
}

async function flood({ one, page }: Producer, { way, from, count }: Order & { do: "flood" }) {
  const [add, step, lanes] = way === "page" && page ? [page, pageSize, 2] : [one, 1, producers];
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
