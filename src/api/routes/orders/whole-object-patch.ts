import { z } from "zod";
import { ValidationError } from "../../../errors.ts";
import { toViolations } from "../../http/violations.ts";

/**
 * Body of a PATCH to which clients send back the whole object that they were shown, with a change in it. Values are
 * checked by `changedFields`, because what is sent back as it was shown has to be taken however old and odd it is.
 */
export function patchBody(schema: z.ZodObject) {
  const { $schema, ...described } = z.toJSONSchema(schema, { io: "input" });
  return z.looseObject({}).meta({ override: described as never });
}

/** What a body changes of the object that the caller sees; throws when a changed value does not fit the schema. */
export function changedFields<S extends z.ZodObject>(
  schema: S,
  sent: Record<string, unknown>,
  shown: Record<string, unknown> = {},
): z.output<S> {
  const changed = Object.entries(sent).filter(([key, value]) => !Object.hasOwn(shown, key) || shown[key] !== value);
  const { success, data, error } = schema.safeParse(Object.fromEntries(changed));
  if (success) return data;
  throw new ValidationError(toViolations(error, "body", sent, "enclosing"));
}
