import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { complaints, packages, rooms, withRoomRules } from "../scripts/rooms.ts";
import { linterProgram } from "../scripts/side-packages.ts";

const { door, outside, config } = complaints;
const wrong = [
  ["platform", 'import "../engine/index.ts";', complaints.room("platform")],
  ["platform", 'import "express";', complaints.package("express")],
  ["platform", 'import "is-odd";', "is-odd"],
  ["engine", 'import "../jobs/index.ts";', complaints.room("engine")],
  ["engine", 'import "../db/data-source.ts";', complaints.room("engine")],
  ["engine/scaling", 'import "../../workers/context.ts";', complaints.room("engine")],
  ["engine", 'import "ioredis";', complaints.package("ioredis")],
  ["jobs", 'import "../db/like.ts";', complaints.room("jobs")],
  ["jobs", 'import "../platform/cache.ts";', complaints.room("jobs")],
  ["jobs", 'import "bullmq";', complaints.package("bullmq")],
  ["jobs", 'import "../engine/define-job.ts";', door],
  ["db", 'import "../services/shop-url.ts";', complaints.room("db")],
  ["db", 'import "../platform/redis.ts";', complaints.room("db")],
  ["db/dao/mail", 'import "../../../engine/ledger.ts";', door],
  ["db", 'import "ioredis";', complaints.package("ioredis")],
  ["services", 'import "../platform/cache.ts";', complaints.room("services")],
  ["services/mail", 'import "../../platform/redis.ts";', complaints.room("services")],
  ["services", 'import "../engine/outbox.ts";', door],
  ["services", 'await fetch("http://x");', "Do not use the global variable fetch."],
  ["services", "export const home = process.env.HOME;", "process.env"],
  ["services", 'import "../config/unsafe.ts";', config],
  ["api", 'import "../workers/context.ts";', complaints.room("api")],
  ["api/routes/catalogue", 'import "../../../engine/relay.ts";', door],
  ["api", 'import "../engine/scaling/autoscaler.ts";', door],
  ["api", 'import "sharp";', complaints.package("sharp")],
  ["api", 'import "uqr";', complaints.package("uqr")],
  ["api", 'import "bullmq";', complaints.package("bullmq")],
  ["api", 'import "@opentelemetry/api";', complaints.package("@opentelemetry/api")],
  ["api", 'import "../config.ts";', config],
  ["api", 'import "../runtime.ts";', config],
  ["api/http", 'import "../routes/index.ts";', complaints.below("api", "http", rooms.api?.below?.http ?? [])],
  ["api/http", 'import "../../workers/context.ts";', complaints.room("api")],
  ["api/http", 'import "sharp";', complaints.package("sharp")],
  ["workers", 'import "../api/app.ts";', complaints.room("workers")],
  ["workers", 'import "../engine/run-job.ts";', door],
  ["workers", 'import "express";', complaints.package("express")],
  ["workers", 'import "../../dev/s3/server.ts";', outside],
  ["cli", 'import "../workers/context.ts";', complaints.room("cli")],
  ["cli", 'import "../engine/ledger.ts";', door],
  ["cli", 'import "../config.ts";', config],
] as const;
const right = [
  ["db", 'import "../engine/index.ts";'],
  ["db", 'import "../platform/postgres/errors.ts";'],
  ["services/mail", 'import "../../db/dao/mail/mails.ts";'],
  ["workers", 'import "../engine/worker.ts";'],
  ["workers", 'import "sharp";'],
  ["api", 'import "express";'],
] as const;

describe("the rooms of src", () => {
  const found = lint([...wrong, ...right]);

  test.each(wrong.map((one, n) => [...one, n] as const))("%s may not have %s", (_room, _text, complaint, n) => {
    expect(found(n)).toEqual(expect.arrayContaining([expect.stringContaining(complaint)]));
  });

  test.each(right.map((one, n) => [...one, n] as const))("%s may have %s", (_room, _text, n) => {
    expect(found(wrong.length + n)).toEqual([]);
  });
});

describe("the table of rooms", () => {
  test("is what biome.json enforces; `npm run rooms` writes it there", () => {
    const settings = readFileSync("biome.json", "utf8");
    expect(JSON.parse(settings)).toEqual(withRoomRules(settings));
  });

  test("is what docs/architecture.md shows", () => {
    const page = readFileSync("docs/architecture.md", "utf8");
    const shown = [...page.matchAll(/^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|/gm)].map(
      ([, room = "", may = "", own = ""]) => [room, { imports: wordsOf(may), packages: wordsOf(own) }],
    );
    const real = Object.entries(rooms).map(([room, { imports }]) => [
      room,
      { imports: [...imports], packages: Object.keys(packages).filter((name) => packages[name]?.includes(room)) },
    ]);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(real));
  });

  test("names every folder of src that has code, and each package that is used in one", () => {
    const folders = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
    // `config` belongs to `config.ts`.
    expect(
      folders
        .map(({ name }) => name)
        .filter((name) => name !== "config")
        .sort(),
    ).toEqual(Object.keys(rooms).sort());
  });
});

const wordsOf = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word);

/** What Biome says with our rules about files of these texts in these rooms, by number; they are written elsewhere. */
function lint(probes: (readonly [room: string, text: string, ...unknown[]])[]) {
  const folder = mkdtempSync(join(tmpdir(), "tcf-rooms-"));
  try {
    for (const file of ["biome.json", "package.json"]) cpSync(file, join(folder, file));
    for (const [n, [room, text]] of probes.entries()) {
      mkdirSync(join(folder, "src", room), { recursive: true });
      writeFileSync(join(folder, "src", room, `probe-${n}.ts`), text);
    }
    const args = ["lint", "--reporter=json", "--max-diagnostics=none", "src"];
    const { stdout } = spawnSync(linterProgram(), args, { cwd: folder, encoding: "utf8" });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { message: string; location: { path: string } }[] };
    return (n: number) =>
      diagnostics.filter(({ location }) => location.path.endsWith(`probe-${n}.ts`)).map(({ message }) => message);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
