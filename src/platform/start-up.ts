import { StartUpError } from "../errors.ts";
import { errorLine } from "./describe-error.ts";

/** sysexits.h: configuration error. */
const exitConfig = 78;

/** Ends the process on an error that nobody caught; without a stack when it only says what an operator has to mend. */
export function endOnUncaughtError(name: string) {
  process.on("uncaughtException", (error) => {
    const isPlain = error instanceof StartUpError;
    process.stderr.write(
      isPlain ? `${name} cannot start. ${error.message}\n` : `${JSON.stringify({ err: errorLine(error) })}\n`,
    );
    process.exit(isPlain ? exitConfig : 1);
  });
}
