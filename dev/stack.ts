import { checkApiPort, checkNode } from "./stack/checks.ts";
import { inWords } from "./stack/file-trouble.ts";
import { readGivenServers } from "./stack/given-servers.ts";
import { releaseLock, takeLock } from "./stack/lock.ts";
import { type Options, parseOptions, usage } from "./stack/options.ts";
import { Refusal } from "./stack/refusal.ts";
import { runUntilStopped } from "./stack/run.ts";
import { checkVariables } from "./stack/variables.ts";
import { wipe } from "./stack/wipe.ts";

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  // Whatever still wants to hold this process: all that it looked after is down by now.
  else process.exit(await startStack(options));
} catch (thrown) {
  const error = inWords(thrown);
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exit(error.exitCode);
}

async function startStack({ fresh, catalogue }: Options): Promise<number> {
  checkNode();
  const given = readGivenServers();
  await takeLock();
  try {
    const apiPort = await checkApiPort();
    checkVariables(apiPort, given);
    if (fresh) wipe();
    return await runUntilStopped({ apiPort, demo: { fresh, catalogue }, given });
  } finally {
    releaseLock();
  }
}
