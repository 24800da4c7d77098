import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import pg from "pg";
import { freePort } from "../dev/services/service.ts";
import type { StackFile } from "../dev/stack/summary.ts";
import { testPhotos } from "./support/photos.ts";
import { watchProcess } from "./support/processes.ts";

export const summary = "200 photos posted by 16 clients to a stack of its own; `kill` kills the worker ten times";

const photos = 200;
const clients = 16;
const kills = 10;

/** Posts the photos, waits for their pictures, and says what was lost, how fast it was and what memory it took. */
export async function run(args: string[]) {
  const directory = mkdtempSync(join(tmpdir(), "bench-stack-"));
  const stack = await startStack(directory);
  try {
    await measure(stack.file, directory, args.includes("kill") ? kills : 0);
  } finally {
    const ended = once(stack.process, "exit");
    stack.process.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(read: () => StackFile, directory: string, killCount: number) {
  const sources = (await testPhotos(8)).map((path) => readFileSync(path));
  const api = watchProcess(() => read().pids.api);
  const worker = watchProcess(() => read().pids["worker-images"]);
  const began = performance.now();

  const queue = Array.from({ length: photos }, (_, n) => n).values();
  const posted: string[] = [];
  const client = async () => {
    for (const n of queue) posted.push(await post(read(), n, sources[n % sources.length] as Buffer));
  };
  const uploads = Promise.all(Array.from({ length: clients }, client));
  const killing = killWorker(read, killCount);
  await uploads;
  const uploaded = performance.now() - began;
  const states = await untilOver(read().databaseUrl, posted);
  const done = performance.now() - began;
  await killing;
  const [apiUse, workerUse] = [api.stop(), worker.stop()];

  const broken = await checkPictures(read().api, posted);
  // A worker killed after its last commit leaves an upload, until its job is handed out again.
  let sets = await pictureSets(read(), directory);
  for (let n = 0; n < 60 && sets.strays > 0; n++) {
    await sleep(1_000);
    sets = await pictureSets(read(), directory);
  }
  const perPhoto = (seconds: number) => `${((seconds * 1_000) / photos).toFixed(0)} ms`;
  const rows = [
    ["photos posted / answered 201", `${photos} / ${posted.length}`, posted.length === photos],
    ["jobs succeeded", `${states.succeeded}`, states.succeeded === photos],
    ["failures, takeovers from a dead worker", `${states.failures}, ${states.crashes}`, states.failures === 0],
    ["pictures that do not load", `${broken}`, broken === 0],
    [
      "complete sets of variants, strays",
      `${sets.complete}, ${sets.strays}`,
      sets.complete === photos && sets.strays === 0,
    ],
    ["worker killed with -9", `${killCount} times`, true],
    ["uploads", `${(photos / (uploaded / 1_000)).toFixed(1)} photos/s`, true],
    [
      "until the last picture",
      `${(done / 1_000).toFixed(1)} s, ${(photos / (done / 1_000)).toFixed(2)} photos/s`,
      true,
    ],
    ["CPU of the worker", `${perPhoto(workerUse.cpuSeconds)} a photo`, true],
    ["CPU of the API", `${perPhoto(apiUse.cpuSeconds)} a photo`, true],
    ["peak memory of the API", `${apiUse.peakMb.toFixed(0)} MB (goal 250)`, apiUse.peakMb < 250],
    ["peak memory of the worker", `${workerUse.peakMb.toFixed(0)} MB (goal 500)`, workerUse.peakMb < 500],
  ] as const;
  console.log("| what | measured | |\n| --- | --- | --- |");
  for (const [what, measured, good] of rows)
    console.log(`| ${what} | ${measured} | ${good ? "ok" : "**not reached**"} |`);
  if (rows.some(([, , good]) => !good)) process.exitCode = 1;
}

async function startStack(directory: string): Promise<{ process: ChildProcess; file: () => StackFile }> {
  const env = { ...process.env, STACK_DIRECTORY: directory, PORT: String(await freePort()) };
  const args = ["--import", "tsx", "dev/stack.ts", "--fresh"];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const path = join(directory, "stack.json");
  while (!existsSync(path)) {
    if (child.exitCode !== null) throw new Error(`The stack ended with exit code ${child.exitCode}`);
    await sleep(100);
  }
  return { process: child, file: () => JSON.parse(readFileSync(path, "utf8")) as StackFile };
}

/** Each photo gets a few bytes of its own behind its end, so that each makes objects of its own. */
async function post({ api, tokens }: StackFile, n: number, source: Buffer): Promise<string> {
  const form = new FormData();
  form.set("name", `Photo ${n}`);
  form.set("image_blob", new Blob([new Uint8Array(source), `photo ${n}`]), "photo.jpg");
  const headers = { authorization: `Bearer ${tokens?.employee}` };
  const res = await fetch(`${api}/categories`, { method: "POST", body: form, headers });
  if (res.status !== 201) throw new Error(`POST /categories: ${res.status} ${await res.text()}`);
  return ((await res.json()) as { id: string }).id;
}

/** Kills the worker so often, each time when it is at work again. */
async function killWorker(read: () => StackFile, times: number) {
  let last = 0;
  for (let n = 0; n < times; n++) {
    let pid = read().pids["worker-images"];
    while (!pid || pid === last) {
      await sleep(100);
      pid = read().pids["worker-images"];
    }
    await sleep(2_000);
    process.kill(pid, "SIGKILL");
    last = pid;
  }
}

interface States {
  succeeded: number;
  over: number;
  failures: number;
  crashes: number;
}

async function untilOver(databaseUrl: string, categories: string[]): Promise<States> {
  const db = new pg.Client(databaseUrl);
  await db.connect();
  try {
    for (;;) {
      const { rows } = await db.query<States>(
        `SELECT count(*) FILTER (WHERE state = 'succeeded')::int AS succeeded,
                count(*) FILTER (WHERE finished_at IS NOT NULL)::int AS over,
                coalesce(sum(failures), 0)::int AS failures, coalesce(sum(crashes), 0)::int AS crashes
         FROM job WHERE entity_id = ANY($1)`,
        [categories],
      );
      const [states] = rows;
      if (states && states.over === categories.length) return states;
      await sleep(200);
    }
  } finally {
    await db.end();
  }
}

/** Counts pictures of the categories that cannot be loaded, or of which there are not four. */
async function checkPictures(api: string, categories: string[]) {
  let broken = 0;
  for (const id of categories) {
    const res = await fetch(`${api}/categories/${id}`);
    const { images, image_url } = (await res.json()) as { images: { url: string }[]; image_url: string };
    if (images.length !== 4) broken++;
    for (const url of [image_url, ...images.map((one) => one.url)]) {
      const picture = await fetch(url);
      await picture.arrayBuffer();
      if (picture.status !== 200) broken++;
    }
  }
  return broken;
}

/** Looks at the bucket itself: folders of variants with exactly four objects, and whatever else should not be there. */
async function pictureSets({ s3 }: StackFile, directory: string) {
  const { s3AccessKey, s3SecretKey } = JSON.parse(readFileSync(join(directory, "secrets.json"), "utf8"));
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: s3AccessKey, secretAccessKey: s3SecretKey },
  });
  const keys: string[] = [];
  for (let token: string | undefined; ; ) {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: s3.bucket, ...(token && { ContinuationToken: token }) }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
    token = page.NextContinuationToken;
    if (!token) break;
  }
  client.destroy();
  const variants = keys.filter((key) => /^images\/[0-9a-f]{32}\//.test(key));
  const folders = new Map<string, number>();
  for (const key of variants) {
    const folder = key.split("/")[1] ?? "";
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  const complete = [...folders.values()].filter((count) => count === 4).length;
  return { complete, strays: keys.length - complete * 4 - photos };
}
