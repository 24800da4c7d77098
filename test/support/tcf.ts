import { expect } from "vitest";
import type { CommandContext } from "../../src/cli/command.ts";
import { runCli } from "../../src/cli/run.ts";
import type { TestApi } from "./api.ts";

/** Calls `tcf` for what needs a database alone; returns its exit code and the last that it said. */
export async function runTcf(api: TestApi, operators: readonly string[], argv: readonly string[]) {
  const unused = () => expect.fail("not asked for here");
  const context: CommandContext = {
    ...{ caller: "tester", demoTokensUrl: unused, database: unused, installation: unused },
    operators: () => operators,
    transact: (work, origin = { actorId: null, traceId: null }) => api.context.transact(origin, work),
  };
  let said = "";
  const out = (text: string) => {
    said = text;
  };
  const code = await runCli(argv, context, { out, err: out });
  return { code, said };
}
