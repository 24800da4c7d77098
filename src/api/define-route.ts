import type { Request, RequestHandler, Response, Router } from "express";
import { z } from "zod";
import type { Role } from "../db/entities/user.ts";
import type { Origin } from "../db/transaction.ts";
import { AppError, MethodNotAllowedError, UnavailableError, ValidationError } from "../errors.ts";
import type { CachedBody } from "../platform/cache.ts";
import { recordAudit } from "../services/audit.ts";
import type { StagedImage } from "../services/images.ts";
import { requireRole } from "./authenticate.ts";
import type { Actor, ApiContext } from "./context.ts";
import { preferredWait } from "./preferences.ts";
import { statusOfError } from "./problem.ts";
import { type Form, receiveForm } from "./receive-form.ts";
import { sendResult } from "./send-result.ts";
import { discardImage, largestImage, stageImage } from "./stage-image.ts";
import { missingField, toViolations } from "./violations.ts";

const longestAudited = 10_000;
const nothing = z.object({});
type Shape = z.ZodObject;
type Nothing = typeof nothing;

/** The two representations of one API (wire contract 1.16). */
export type Profile = "shop" | "warehouse";

export interface ImageField {
  field: string;
  required: boolean;
  /** Folder under `images/` for the picture. */
  folder: string;
}

export interface Route<P extends Shape = Shape, Q extends Shape = Shape, F extends Shape = Shape> {
  method: "get" | "post" | "patch" | "delete";
  /** As in OpenAPI: `/categories/{category_id}`. */
  path: string;
  summary: string;
  tag: string;
  /** The least role that may call this; open to everyone when absent. */
  role?: Role;
  params?: P;
  query?: Q;
  /** Fields of a form body, multipart or urlencoded. */
  form?: F;
  /** The one picture that the form may carry. */
  image?: ImageField;
  responses: Record<number, z.ZodType>;
  handle: (context: ApiContext, input: Input<P, Q, F>) => Promise<Result>;
}

export interface Result {
  status: number;
  body?: unknown;
  /** Instead of `body`: an answer from the cache, with its ETag. */
  cached?: CachedBody;
  headers?: Record<string, string>;
}

export interface Input<P extends Shape, Q extends Shape, F extends Shape> {
  params: z.output<P>;
  query: z.output<Q>;
  form: z.output<F>;
  image: StagedImage | undefined;
  /** The caller; set on every route that names a role. */
  actor: Actor | undefined;
  profile: Profile;
  /** For transactions: on whose behalf, under which request id. */
  origin: Origin;
  /** How long the caller would like to wait for a job's result. */
  wait: Wait | undefined;
}

export interface Wait {
  seconds: number;
  /** Fires when nobody waits any more, or the process stops. */
  signal: AbortSignal;
}

/** Ties a route's handler to what it declares; `mount` and the OpenAPI document read the declaration. */
export function defineRoute<P extends Shape = Nothing, Q extends Shape = Nothing, F extends Shape = Nothing>(
  route: Route<P, Q, F>,
): Route {
  return route as unknown as Route;
}

/** Serves the routes: admits the caller, checks what the route declares, calls it, audits staff, and answers. */
export function mount(router: Router, routes: readonly Route[], context: ApiContext, profile: Profile) {
  for (const route of routes) {
    const serve: RequestHandler = async (req, res) => {
      res.locals.route = route.path;
      const actor = route.role ? await context.authenticate(req.headers.authorization) : undefined;
      res.locals.actor = actor?.id;
      const audited = isStaff(actor) && route.method !== "get";
      const result = await answer(route, context, profile, req, res, actor).catch(async (error: unknown) => {
        if (audited) await audit(context, req, res, actor, statusOfError(error));
        throw error;
      });
      if (audited) await audit(context, req, res, actor, result.status);
      sendResult(req, res, result);
    };
    router[route.method](expressPath(route.path), serve);
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const known = routes.filter((route) => route.path === path);
    const allow = known.map(({ method }) => method.toUpperCase()).join(", ");
    router.all(expressPath(path), (_req, res) => {
      res.set("allow", allow);
      throw new MethodNotAllowedError("Method Not Allowed");
    });
  }
  return router;
}

const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ":$1");

async function answer(
  route: Route,
  context: ApiContext,
  profile: Profile,
  req: Request,
  res: Response,
  actor: Actor | undefined,
): Promise<Result> {
  if (route.role && actor) requireRole(actor, route.role);
  const input = {
    params: check(route.params, "path", req.params),
    query: check(route.query, "query", req.query),
    actor,
    profile,
    origin: { actorId: actor?.id ?? null, traceId: String(res.locals.requestId) },
    wait: waitOf(context, req, res),
  };
  if (!route.form) return route.handle(context, { ...input, form: {}, image: undefined });

  const { store } = context;
  const folder = route.image?.folder ?? "";
  const received = await receiveForm<StagedImage>(req, {
    fileField: route.image?.field,
    largestFile: route.image ? largestImage : 0,
    take: (file) => stageImage(store, folder, file),
    discard: (image) => discardImage(store, image),
  });
  res.locals.payload = declaredFields(route.form, received.fields);
  try {
    return await route.handle(context, { ...input, form: checkForm(route, received), image: received.file });
  } catch (error) {
    // After an outage nobody knows whether the commit went through, so the upload has to stay; strays expire.
    const isRefusal = error instanceof AppError && !(error instanceof UnavailableError);
    if (received.file && isRefusal) await discardImage(store, received.file);
    throw error;
  }
}

function waitOf({ stopping }: ApiContext, req: Request, res: Response): Wait | undefined {
  const seconds = preferredWait(req.headers.prefer);
  if (seconds === undefined) return undefined;
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  return { seconds, signal: AbortSignal.any([stopping, gone.signal]) };
}

function check(schema: Shape | undefined, source: "path" | "query" | "body", value: unknown) {
  const { success, data, error } = (schema ?? nothing).safeParse(value);
  if (success) return data;
  throw new ValidationError(toViolations(error, source, value));
}

function checkForm({ form, image }: Route, { fields, file }: Form<StagedImage>) {
  const { data, error } = (form ?? nothing).safeParse(fields);
  const violations = error ? toViolations(error, "body", fields) : [];
  if (image?.required && !file) violations.push({ ...missingField, loc: ["body", image.field], input: null });
  if (violations.length > 0 || !data) throw new ValidationError(violations);
  return data;
}

/** What the audit log keeps of a form: nothing that nobody asked for, and nothing that Postgres refuses. */
function declaredFields(form: Shape, fields: Record<string, string>) {
  const known = Object.keys(form.shape).filter((name) => fields[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, fields[name]?.replaceAll("\0", "").slice(0, longestAudited)]));
}

function isStaff(actor: Actor | undefined): actor is Actor {
  return actor !== undefined && actor.role !== "USER";
}

/** A lost audit row must not make a done change look undone to the caller: it is an error in the log instead. */
async function audit(context: ApiContext, req: Request, res: Response, actor: Actor, status: number) {
  const { requestId, payload = null } = res.locals as { requestId: string; payload?: unknown };
  const endpoint = context.publicUrl + req.originalUrl;
  const entry = { userId: actor.id, method: req.method, endpoint, payload, status, requestId };
  await recordAudit(context.db.manager, entry).catch((error: unknown) => {
    context.log.error({ err: error, audit: entry }, "audit row lost");
  });
}
