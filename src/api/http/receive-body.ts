import type { Request, Response } from "express";
import { z } from "zod";
import { UnsupportedMediaError, ValidationError } from "../../errors.ts";
import type { StagedImage } from "../../services/catalogue/images.ts";
import { receiveForm } from "./receive-form.ts";
import { isJson, receiveBytes, receiveJson } from "./receive-json.ts";
import { discardImage, maxImageBytes, stageImage } from "./stage-image.ts";
import type { ApiContext, Route } from "./types.ts";
import { missingField, toViolations } from "./violations.ts";

const maxAuditedLength = 10_000;

/** A body that has arrived. Its picture is in the bucket already and is the caller's to discard. */
export interface ReceivedBody {
  bytes: Buffer;
  image: StagedImage | undefined;
  /** The body parsed by the route's schema; throws when it is invalid. */
  check: () => unknown;
}

const none = Buffer.alloc(0);

/** Reads the body that the route declares, JSON or form; stores the part for the audit log in `res`. */
export async function receiveBody(
  route: Route,
  context: ApiContext,
  req: Request,
  res: Response,
): Promise<ReceivedBody> {
  if (route.raw || route.body) refusePacked(req);
  if (route.raw) return { bytes: await receiveBytes(req), image: undefined, check: () => undefined };
  if (!route.body) return { bytes: none, image: undefined, check: () => undefined };
  const accepts = route.accepts ?? ["json"];
  if (!accepts.includes("form") || (accepts.includes("json") && isJson(req))) {
    const value = await receiveJson(req, route.body instanceof z.ZodArray ? "list" : "object");
    if (!route.isBodyPrivate) res.locals.payload = value;
    return { bytes: none, image: undefined, check: () => checkBody(route, value) };
  }

  const { store } = context;
  const folder = route.image?.folder ?? "";
  const { fields, file } = await receiveForm<StagedImage>(req, {
    fileField: route.image?.field,
    maxFileBytes: route.image ? maxImageBytes : 0,
    take: (incoming) => stageImage(store, folder, incoming),
    discard: (image) => discardImage(store, image),
  });
  res.locals.payload = declaredFields(route.body, fields);
  return { bytes: none, image: file, check: () => checkForm(route, fields, file) };
}

/** Nothing is unpacked here: a few kilobytes may turn into gigabytes. */
function refusePacked(req: Request) {
  const encoding = req.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return;
  const named = encoding.slice(0, 40);
  throw new UnsupportedMediaError(`Send the body as it is: Content-Encoding '${named}' is not taken here`);
}

function checkBody({ body = z.undefined() }: Route, value: unknown) {
  const { success, data, error } = body.safeParse(value);
  if (success) return data;
  if (value === undefined) throw new ValidationError([{ ...missingField, loc: ["body"], input: null }]);
  throw new ValidationError(toViolations(error, "body", value, "enclosing"));
}

function checkForm({ body = z.object({}), image }: Route, fields: Record<string, string>, file: unknown) {
  const { data, error } = body.safeParse(fields);
  const violations = error ? toViolations(error, "body", fields) : [];
  if (image?.required && !file) violations.push({ ...missingField, loc: ["body", image.field], input: null });
  if (violations.length > 0) throw new ValidationError(violations);
  return data;
}

/** The fields of a form for the audit log: only those that the route declares. */
function declaredFields(body: z.ZodType, fields: Record<string, string>) {
  const shape = body instanceof z.ZodObject ? body.shape : {};
  const known = Object.keys(shape).filter((name) => fields[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, fields[name]?.slice(0, maxAuditedLength)]));
}
