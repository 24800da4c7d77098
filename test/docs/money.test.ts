import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bookRules } from "../../src/db/dao/payments/books.ts";

const page = readFileSync("docs/money.md", "utf8");

test.each(bookRules.map((one) => [one.name, one] as const))(
  "the page about money has rule %s as it is checked",
  (_name, { name, rule, sql }) => {
    expect(page).toContain(`### ${name}\n\n${rule}\n\n\`\`\`sql${sql}\n\`\`\``);
  },
);
