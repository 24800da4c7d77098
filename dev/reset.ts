import { existsSync, rmSync } from "node:fs";
import { inWords } from "./stack/file-trouble.ts";
import { refuseWhileRunning } from "./stack/lock.ts";
import { directory } from "./stack/paths.ts";
import { Refusal } from "./stack/refusal.ts";
import { wipe } from "./stack/wipe.ts";

try {
  await refuseWhileRunning();
  const isThere = existsSync(directory);
  wipe();
  rmSync(directory, { recursive: true, force: true });
  console.log(isThere ? `Deleted ${directory}.` : `${directory} is not there; nothing to delete.`);
} catch (thrown) {
  const error = inWords(thrown);
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
