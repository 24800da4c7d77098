import { StartUpError } from "../errors.ts";
import { errorLine } from "./describe-error.ts";

/** sysexits.h: configuration error. */
const exitConfig = 78;

/**
 * Ends the process at once on an uncaught error; without a stack when it only says what an operator has to correct. The
 * returned function undoes that, for a process that has requests or jobs to finish by now.
 */
export function endOnUncaughtError(name: string): () => void {
  const end = (error: Error) => {
    const isPlain = error instanceof StartUpError;
    process.stderr.write(
      isPlain ? `${name} cannot start. ${error.message}\n` : `${JSON.stringify({ err: errorLine(error) })}\n`,
    );
    process.exit(isPlain ? exitConfig : 1);
  };
  process.on("uncaughtException", end);
  return () => void process.off("uncaughtException", end);
}
