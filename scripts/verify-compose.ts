import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";

// Starts docker-compose.yml from nothing, sends the README's first photo through it, runs the chart's test, stops it and
// deletes everything: npm run verify:compose. Skips where no Docker engine answers. COMPOSE_FILE adds files, as Compose
// itself has it. The last line is "N passed, N failed".

const api = "http://127.0.0.1:8080";
let passed = 0;
let failed = 0;

if (spawnSync("docker", ["compose", "version"]).status !== 0 || spawnSync("docker", ["version"]).status !== 0) {
  process.stdout.write("skipped: no Docker engine with Compose answers\n");
  process.exit(0);
}
try {
  if (await check("everything gets healthy", up)) {
    const images = await check("the first photo becomes images", firstPhoto);
    if (images) await check("each image loads", () => load(images));
    await check("the chart's test has a job done", chartTest);
    await check("containers run as a user without rights, on a read-only root", hardened);
    await check("api and workers end by themselves on SIGTERM", stop);
    await check("after a restart the photo is still there", async () => {
      compose("start");
      compose("up", "--wait", "--no-build");
      if (!images) throw new Error("there was none to begin with");
      // While those commands ran, nothing here could notice that connections of before have been closed.
      await sleep(200);
      await load(images);
    });
  } else spawnSync("docker", ["compose", "logs", "--tail", "30"], { stdio: "inherit" });
} finally {
  compose("down", "--volumes", "--timeout", "30");
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);

async function check<T>(what: string, work: () => T | Promise<T>): Promise<T | undefined> {
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1_000).toFixed(1);
  try {
    const result = (await work()) ?? (true as T);
    passed += 1;
    process.stdout.write(`ok      ${what} (${seconds()} s)\n`);
    return result;
  } catch (error) {
    failed += 1;
    process.stdout.write(`FAILED  ${what} (${seconds()} s): ${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}

function compose(...args: string[]) {
  const { status } = spawnSync("docker", ["compose", ...args], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`docker compose ${args[0]} ended with exit code ${status}`);
}

function told(...args: string[]) {
  return execFileSync("docker", args, { encoding: "utf8" }).trim();
}

function up() {
  compose("up", "--wait", "--wait-timeout", "600");
}

async function firstPhoto() {
  const noise = { type: "gaussian", mean: 128, sigma: 20 } as const;
  const photo = sharp({ create: { width: 1600, height: 1200, channels: 3, background: "white", noise } });
  const form = new FormData();
  form.set("name", `Compose ${Date.now()}`);
  form.set(
    "image_blob",
    new Blob([new Uint8Array(await photo.jpeg().toBuffer())], { type: "image/jpeg" }),
    "photo.jpg",
  );
  const token = told("compose", "exec", "-T", "identity", "cat", "/tmp/employee.token");
  const answer = await fetch(`${api}/categories`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, prefer: "wait=20" },
    body: form,
  });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`${answer.status} ${text}`);
  const { images } = JSON.parse(text) as { images: { url: string; type: string }[] };
  if (images.length < 4) throw new Error(`only ${images.length} images: ${text}`);
  return images;
}

async function load(images: { url: string; type: string }[]) {
  for (const { url, type } of images) {
    const answer = await fetch(url);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    const { format } = await sharp(bytes).metadata();
    if (!type.includes(format === "heif" ? "avif" : String(format)))
      throw new Error(`${url} is ${format}, not ${type}`);
  }
}

function chartTest() {
  const script = readFileSync("helm/files/tests/run-job.mjs", "utf8");
  const env = { ...process.env, API_URL: api, API_KEY: "local-only-api-key", TIMEOUT_SECONDS: "60" };
  execFileSync(process.execPath, ["--input-type=module", "--eval", script], { env, stdio: "pipe" });
}

function ours() {
  return told("compose", "ps", "--all", "--format", "{{.Name}}", "api", ...workers()).split("\n");
}

function workers() {
  return told("compose", "config", "--services")
    .split("\n")
    .filter((name) => name.startsWith("worker-"));
}

function hardened() {
  for (const name of ours()) {
    const [user, root, caps, health] = told(
      "inspect",
      "--format",
      "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.State.Health.Status}}",
      name,
    ).split(" ");
    if (user !== "10001:10001" || root !== "true" || caps !== "[ALL]" || health !== "healthy")
      throw new Error(`${name}: user ${user}, read-only ${root}, dropped ${caps}, ${health}`);
  }
}

function stop() {
  const names = ours();
  for (const name of names) {
    const began = performance.now();
    told("stop", "--time", "40", name);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const code = told("inspect", "--format", "{{.State.ExitCode}}", name);
    process.stdout.write(`        ${name}: ${seconds} s, exit code ${code}\n`);
    if (code !== "0") throw new Error(`${name} ended with exit code ${code}`);
  }
}
