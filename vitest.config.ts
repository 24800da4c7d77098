import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { slow, unit } from "./test/projects.ts";

/** What takes minutes begins first, or a worker would run it alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = slow.indexOf(relative(import.meta.dirname, moduleId));
      return at < 0 ? slow.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

const everything = ["test/**/*.test.ts"];
const servers = { globalSetup: ["test/support/global-setup.ts"] };

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: Math.max(2, Math.min(8, availableParallelism())),
    setupFiles: ["test/support/patience.ts"],
    // Only for what hangs: a machine that is busy elsewhere may take any time, and nothing is tried twice.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    sequence: { sequencer: LongestFirst },
    projects: [
      // They share no state that one could spoil for another, and most of their time would be imports.
      { extends: true, test: { name: "unit", include: unit, isolate: false } },
      { extends: true, test: { name: "integration", include: everything, exclude: [...unit, ...slow], ...servers } },
      { extends: true, test: { name: "slow", include: slow, ...servers } },
    ],
  },
});
