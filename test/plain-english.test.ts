import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Each with what to write instead: the actor, or the field's word. */
const banned: Record<string, RegExp> = {
  "nobody (no caller, no worker, unknown)": /\b[Nn]obod(?:y|ies)\b/,
  "whoever, whomever (the caller, the client, the recipient)": /\bwho(?:m)?ever\b/i,
  "somebody, someone (a user, a person)": /\b[Ss]ome(?:body|one)\b/,
  "anybody, anyone (any client, any visitor)": /\b[Aa]ny(?:body|one)\b/,
  "anew (again)": /\banew\b/i,
  "wish (desired, requested)": /\bwish(?:e[ds])?\b/i,
  "is away (is unavailable)": /\b(?:is|are|was|were) away\b/i,
  "struck off (removed)": /\bstruck off\b/i,
  "promised again (enqueued again)": /\bpromised again\b/i,
  "let go (released)": /\blet(?:s|ting)? go\b/i,
  "let in (authenticated, accepted)": /\blet(?:s|ting)? in\b/i,
  "takes its turn (by its share, in its slot)": /\btakes? (?:its|their) turn\b/i,
  "throws away (evicts, discards)": /\b(?:throws?|threw|thrown) \w+ away\b/i,
};

/** Texts that stay as they are: clients know them word by word, or another program gave the name. */
const exceptions: readonly RegExp[] = [
  // The user of Unix without rights.
  /`nobody`|\?\? "nobody"/,
  // A middleware of the chart: another name would replace it in each cluster.
  /-nobody$|"staff" "nobody"/,
];

/** Files of the tree that people read; not what programs wrote, and not the records of former runs. */
const files = globSync(
  [
    ...["src", "bench", "dev", "scripts", "test", "tools"].map((folder) => `${folder}/**/*.{ts,mjs,py,yaml}`),
    ...["helm/**/*.{yaml,tpl,json,md}", "docs/**/*.md", "*.{md,yml}", ".env.example", "Dockerfile.*"],
  ],
  { exclude: (path) => /(^|\/)(node_modules|golden|var|proof)(\/|$)/.test(path) },
)
  .filter((file) => file !== "test/plain-english.test.ts" && file !== "CHANGELOG.md")
  .sort();

const linesOf = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .map((text, index) => ({ text, at: `${file}:${index + 1}` }))
    .filter(({ text }) => !exceptions.some((kept) => kept.test(text)));

const found = (lines: readonly { text: string; at: string }[], word: RegExp) =>
  lines.filter(({ text }) => word.test(text)).map(({ text, at }) => `${at}: ${text.trim()}`);

describe("the words of the tree", () => {
  const lines = files.flatMap(linesOf);

  test.each(Object.entries(banned))("have no %s", (_name, word) => {
    expect(found(lines, word)).toEqual([]);
  });

  test("are read from all rooms", () => {
    const rooms = new Set(files.map((file) => (file.startsWith("src/") ? file.split("/")[1] : file.split("/")[0])));
    expect([...rooms]).toEqual(
      expect.arrayContaining([
        ...["api", "cli", "db", "engine", "jobs", "platform", "services", "workers"],
        ...["bench", "dev", "docs", "helm", "scripts", "test", "README.md"],
      ]),
    );
  });
});

test.each([
  ["// While Redis is away, nobody knows", 2],
  ['"it gives tokens to anybody"', 1],
  ["/** Makes the picture anew for whoever asks. */", 2],
  ["// The caller waits until Redis is available.", 0],
])("%s has %i banned words", (text, count) => {
  const words = Object.values(banned).filter((word) => found([{ text, at: "a line" }], word).length > 0);
  expect(words).toHaveLength(count);
});
