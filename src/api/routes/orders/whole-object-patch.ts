import { z } from "zod";
import { ValidationError } from "../../../errors.ts";
import { toViolations } from "../../http/violations.ts";

/**
 * Body of a PATCH to which clients send back the whole object from an answer, with a change in it. `changedFields`
 * checks the values, because an unchanged value has to be accepted, however old and odd it is.
 */
export function patchBody(schema: z.ZodObject) {
  const { $schema, ...described } = z.toJSONSchema(schema, { io: "input" });
  return z.looseObject({}).meta({ override: described as never });
}

/** The fields that a body changes in the object that the caller sees; throws when a changed value is invalid. */
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
