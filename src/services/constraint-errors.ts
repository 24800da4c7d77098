import { ConflictError } from "../errors.ts";
import { violatedForeignKey, violatedUnique } from "../platform/postgres/errors.ts";

/**
 * Handler for the errors of a statement: a violated constraint becomes a `ConflictError` with the message given under
 * its name; any other error is thrown unchanged.
 */
export function constraintErrors(words: Record<string, string>) {
  return (error: unknown): never => {
    const constraint = violatedUnique(error) ?? violatedForeignKey(error);
    const message = constraint === undefined ? undefined : words[constraint];
    throw message === undefined ? error : new ConflictError(message);
  };
}
