import type { Children } from "../../db/dao/catalogue/categories.ts";
import { ConflictError } from "../../errors.ts";
import { violatedForeignKey, violatedUnique } from "../../platform/postgres/errors.ts";

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

/**
 * Throws `ConflictError` while a row has children: how many, the first ones by name and id, and what to do. `what` names
 * the row, `one` and `many` its children.
 */
export function refuseChildren(
  { count, first }: Children,
  { what, one, many, advice }: Record<"what" | "one" | "many" | "advice", string>,
): void {
  if (count === 0) return;
  const names = first.map(({ id, name, isDeleted }) => `'${name}' (${id}${isDeleted ? ", deleted" : ""})`);
  const rest = count > first.length ? ` and ${count - first.length} more` : "";
  throw new ConflictError(
    `${what} still has ${count} ${count === 1 ? one : many}: ${names.join(", ")}${rest}; ${advice}`,
  );
}
