import { ConflictError } from "../errors.ts";
import { violatedForeignKey, violatedUnique } from "../platform/postgres/errors.ts";

/**
 * Handler for the errors of a statement: what a constraint refused becomes a `ConflictError` in the words given under
 * the constraint's name; everything else stays what it was.
 */
export function constraintErrors(words: Record<string, string>) {
  return (error: unknown): never => {
    const constraint = violatedUnique(error) ?? violatedForeignKey(error);
    const message = constraint === undefined ? undefined : words[constraint];
    throw message === undefined ? error : new ConflictError(message);
  };
}
