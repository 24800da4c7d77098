import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const wrong = [
  ["jobs", 'import "../db/ledger.ts";', "jobs imports no other room."],
  ["jobs", 'import "bullmq";', "bullmq belongs in platform, workers."],
  ["db", 'import "../services/slug.ts";', "db may import jobs only."],
  ["db", 'import "ioredis";', "ioredis belongs in platform."],
  ["services", 'import "../platform/cache.ts";', "services may import db, jobs only."],
  ["services", 'await fetch("http://x");', "Do not use the global variable fetch."],
  ["services", "export const home = process.env.HOME;", "process.env"],
  ["platform", 'import "../db/ledger.ts";', "platform may import jobs only."],
  ["platform", 'import "typeorm";', "typeorm belongs in db, services, api, workers."],
  ["api", 'import "../workers/context.ts";', "api may import services, db, jobs, platform only."],
  ["api", 'import "sharp";', "sharp belongs in workers."],
  ["api", 'import "uqr";', "uqr belongs in workers."],
  ["api", 'import "@opentelemetry/api";', "@opentelemetry/api belongs in platform."],
  ["api", 'import "../config.ts";', "Only the entry points read the configuration; pass values on as arguments."],
  ["workers", 'import "../api/app.ts";', "workers may import services, db, jobs, platform only."],
  ["workers", 'import "express";', "express belongs in api."],
  ["workers", 'import "../../dev/s3/server.ts";', "src imports neither dev, test nor bench."],
  ["cli", 'import "../workers/context.ts";', "cli may import services, db, jobs, platform only."],
  ["cli", 'import "../config.ts";', "Only the entry points read the configuration; pass values on as arguments."],
  [
    "services",
    'import "../config/unsafe.ts";',
    "Only the entry points read the configuration; pass values on as arguments.",
  ],
  ["platform", 'import "is-odd";', "is-odd"],
] as const;
const right = [
  ["services", 'import "../db/ledger.ts";'],
  ["workers", 'import "sharp";'],
  ["api", 'import "express";'],
] as const;

describe("the rooms of src", () => {
  const found = complaints([...wrong, ...right]);

  test.each(wrong.map((one, n) => [...one, n] as const))("%s may not have %s", (_room, _text, complaint, n) => {
    expect(found(n)).toEqual(expect.arrayContaining([expect.stringContaining(complaint)]));
  });

  test.each(right.map((one, n) => [...one, n] as const))("%s may have %s", (_room, _text, n) => {
    expect(found(wrong.length + n)).toEqual([]);
  });
});

/** What Biome says with our rules about files of these texts in these rooms, by number; they are written elsewhere. */
function complaints(probes: (readonly [room: string, text: string, ...unknown[]])[]) {
  const folder = mkdtempSync(join(tmpdir(), "tcf-rooms-"));
  try {
    for (const file of ["biome.json", "package.json"]) cpSync(file, join(folder, file));
    for (const [n, [room, text]] of probes.entries()) {
      mkdirSync(join(folder, "src", room), { recursive: true });
      writeFileSync(join(folder, "src", room, `probe-${n}.ts`), text);
    }
    const biome = resolve("node_modules/.bin/biome");
    const args = ["lint", "--reporter=json", "--max-diagnostics=none", "src"];
    const { stdout } = spawnSync(biome, args, { cwd: folder, encoding: "utf8" });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { message: string; location: { path: string } }[] };
    return (n: number) =>
      diagnostics.filter(({ location }) => location.path.endsWith(`probe-${n}.ts`)).map(({ message }) => message);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
