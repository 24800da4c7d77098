import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Retention, readRetention, retentionLines, retentionNames } from "../../src/jobs/retention.ts";
import { useDatabase } from "../support/database.ts";

const page = readFileSync("docs/retention.md", "utf8");
/** Cells of the rows below a heading, code marks gone. */
const rowsBelow = (heading: string) =>
  (page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.replaceAll("`", "").trim())
        .slice(1, -1),
    );
const removed = rowsBelow("What is removed");
const kept = rowsBelow("What stays, and why it is bounded");
const names = (cell = "") => cell.replace(/^bucket: /, "").split(", ");

describe("the table of retention", () => {
  const db = useDatabase();

  test("has the lines and defaults of the code", () => {
    const told = removed.map(([name, days]) => [name, Number(days)]);
    expect(told).toEqual(retentionNames.map((name) => [name, retentionLines[name].days]));
  });

  test("says of each table of the database how it is bounded, and of no other", async () => {
    const tables: { name: string }[] = await db.query(
      `SELECT table_name AS name FROM information_schema.tables
       WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
    );
    const ofDatabase = removed.filter(([, , of]) => !of?.startsWith("bucket: ")).flatMap(([, , of]) => names(of));
    const told = [...new Set([...ofDatabase, ...kept.flatMap(([of]) => names(of))])].sort();
    expect(told).toEqual(tables.map(({ name }) => name));
    expect(kept.filter(([, why = ""]) => why.length < 15)).toEqual([]);
    const both = kept.flatMap(([of]) => names(of)).filter((name) => ofDatabase.includes(name));
    expect(both).toEqual([]);
  });
});

describe("RETENTION", () => {
  test("keeps the default of what it does not name", () => {
    const usual = readRetention([]) as Retention;
    expect(readRetention(["mails=400", "audit=1825"])).toEqual({ ...usual, mails: 400, audit: 1_825 });
  });

  test.each([
    ["letters=4", "has 'letters=4': write it like 'mails=400', in days, of jobs, "],
    ["mails", "has 'mails': write it like"],
    ["mails=-1", "has 'mails=-1': write it like"],
    ["mails=1", "has 'mails=1': mails are kept for 2 to 3650 days"],
    ["audit=99999", "has 'audit=99999': audit are kept for 90 to 3650 days"],
    ["idempotency_keys=1", "has 'idempotency_keys=1': idempotency_keys are kept for 7 days"],
    ["__proto__=5", "has '__proto__=5': write it like"],
  ])("refuses '%s' in a sentence", (item, sentence) => expect(readRetention([item])).toContain(sentence));
});
