import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { commandOf } from "../../dev/services/processes.ts";
import { freePort } from "../../dev/services/service.ts";
import type { StackFile } from "../../dev/stack/summary.ts";

// Runs `npm start` on this checkout as a person would, posts a photo and a guest's order, stops it, and counts what held.
// `-- --beside=8` does so beside eight programs that use all of a processor that they get.

interface CategoryAnswer {
  id: string;
  image_url: string;
  images: { url: string; type: string }[];
}

const { values } = parseArgs({ options: { beside: { type: "string", default: "0" } } });
const busy = Array.from({ length: Number(values.beside) }, () => spawn(process.execPath, ["-e", "for (;;);"]));
process.once("exit", () => {
  for (const loop of busy) loop.kill("SIGKILL");
});
/** What the stack promises of its end holds for a machine with time for it. */
const stopSeconds = busy.length > 0 ? 60 : 10;

const stackFile = resolve("var/stack.json");
const port = await freePort();
let passed = 0;
let failed = 0;

const before = new Set(processesOfCheckout());
const first = await start();
const { pids } = readStack();
const category = await check("a posted photo is accepted", postPhoto);
if (category) await check("all its images load", () => loadImages(category.id));
await check("a guest's order is taken", orderAsGuest);
await stop(first);
await check("no process of the stack is left", () => nothingLeft(Object.values(pids)));
const second = await start();
if (category) await check("the next start finds the category", () => loadImages(category.id));
await stop(second);
await check("no process below the checkout is left", () => nothingLeft(processesOfCheckout()));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);

async function check<Result>(what: string, run: () => Promise<Result>): Promise<Result | undefined> {
  const began = performance.now();
  try {
    const result = await run();
    passed += 1;
    report(`ok      ${what}`, began);
    return result;
  } catch (error) {
    failed += 1;
    report(`FAILED  ${what}: ${error instanceof Error ? error.message : error}`, began);
    return undefined;
  }
}

function report(text: string, began: number) {
  process.stdout.write(`${text} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
}

async function start(): Promise<ChildProcess> {
  const env = { ...process.env, PORT: String(port) };
  const npm = spawn("npm", ["start"], { env, stdio: ["ignore", "inherit", "inherit"] });
  await check("npm start gets ready", async () => {
    // The start itself gives up when it makes no progress; this is for a machine that has forgotten it.
    await until(1_800, () => {
      if (npm.exitCode !== null) throw new Error(`it ended with exit code ${npm.exitCode}`);
      return existsSync(stackFile);
    });
  });
  return npm;
}

async function stop(npm: ChildProcess) {
  await check(`SIGTERM ends it within ${stopSeconds} s with exit code 0`, async () => {
    const ended = once(npm, "exit");
    npm.kill("SIGTERM");
    const answer = await Promise.race([ended, sleep(stopSeconds * 1_000)]);
    if (!answer) throw new Error("it still runs");
    if (answer[0] !== 0) throw new Error(`exit code ${answer[0] ?? answer[1]}`);
    if (existsSync(stackFile)) throw new Error(`${stackFile} is still there`);
  });
}

async function postPhoto(): Promise<CategoryAnswer> {
  const noise = { type: "gaussian", mean: 128, sigma: 20 } as const;
  const photo = await sharp({
    create: { width: 4000, height: 3000, channels: 3, background: "gray", noise },
  })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 60 })
    .toBuffer();
  const form = new FormData();
  form.set("name", `Smoke ${Date.now()}`);
  form.set("image_blob", new Blob([new Uint8Array(photo)], { type: "image/jpeg" }), "photo.jpg");
  const { api, tokens } = readStack();
  const headers = { authorization: `Bearer ${tokens?.employee}` };
  const answer = await fetch(`${api}/categories`, { method: "POST", headers, body: form });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as CategoryAnswer;
}

async function loadImages(id: string) {
  const url = `${readStack().api}/categories/${id}`;
  let images: CategoryAnswer["images"] = [];
  await until(300, async () => {
    ({ images } = (await (await fetch(url)).json()) as CategoryAnswer);
    return images.length > 0;
  });
  if (images.length !== 4) throw new Error(`${images.length} images instead of 4`);
  for (const image of images) {
    const answer = await fetch(image.url);
    const { width, orientation } = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
    if (!answer.ok || answer.headers.get("content-type") !== image.type)
      throw new Error(`${image.url}: ${answer.status}`);
    if (!width || (orientation ?? 1) !== 1) throw new Error(`${image.url} is not upright`);
  }
}

/** Orders what the demo shop has in stock. */
async function orderAsGuest() {
  const { api } = readStack();
  const found = await fetch(`${api}/offers/search/text_search?search_term=${encodeURIComponent("фильтр")}`);
  const { items } = (await found.json()) as { items: { id: string; quantity: number }[] };
  const offer = items.find(({ quantity }) => quantity > 0);
  if (!offer) throw new Error(`no offer is in stock: ${found.status}`);
  const line = { offer_id: offer.id, brand: "-", manufacturer_number: "-", quantity: 1, price_rub: 1 };
  const body = {
    ...{ status: "NEW", note: null, address: "ул. Хрусталёва, 74Ж", country: "RUS", city: "Севастополь" },
    ...{ shipping_method: "CARGO", shipping_company: "CDEK", user_id: null, first_name: "Иван", last_name: "Петров" },
    ...{ email: "guest@example.com", phone: "+7 (978) 000-00-00", order_offers: [line] },
  };
  const answer = await fetch(`${api}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
}

async function nothingLeft(candidates: number[]) {
  const left = () => candidates.filter((pid) => !before.has(pid) && commandOf(pid));
  // npm goes last, and its child may need a moment more.
  await until(2, () => left().length === 0).catch(() => {});
  if (left().length > 0)
    throw new Error(
      left()
        .map((pid) => `${pid} ${commandOf(pid)}`)
        .join("\n"),
    );
}

/** Every process whose command line names a path of this checkout. */
function processesOfCheckout(): number[] {
  if (!existsSync("/proc/self")) return [];
  const pids = readdirSync("/proc").map(Number).filter(Boolean);
  return pids.filter((pid) => commandOf(pid)?.includes(`${process.cwd()}/`));
}

function readStack(): StackFile {
  return JSON.parse(readFileSync(stackFile, "utf8")) as StackFile;
}

async function until(seconds: number, isSo: () => boolean | Promise<boolean>) {
  const deadline = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not after ${seconds} s`);
    await sleep(50);
  }
}
