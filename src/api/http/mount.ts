import type { Request, RequestHandler, Response, Router } from "express";
import { z } from "zod";
import type { KeyedRequest } from "../../db/idempotency.ts";
import {
  AppError,
  MethodNotAllowedError,
  PreconditionFailedError,
  UnavailableError,
  ValidationError,
} from "../../errors.ts";
import { bytesOf, etagOf } from "../../platform/cache.ts";
import { annotate, traced } from "../../platform/tracing.ts";
import { authenticateCaller, checkAct, checkRole, isStaff } from "./access.ts";
import { auditStaff } from "./audit-staff.ts";
import { type Committed, createCommit, hashRequest } from "./commit.ts";
import {
  countRefusal,
  limitAction,
  limitByAddress,
  limitRecipient,
  limitRequest,
  throttleFailedLogins,
} from "./limit-requests.ts";
import { showingRoute, withLocation } from "./location.ts";
import { clientOf } from "./networks.ts";
import { preferredWait } from "./preferences.ts";
import { statusOfError } from "./problem.ts";
import { type ReceivedBody, receiveBody } from "./receive-body.ts";
import { matchesTag, sendResult } from "./send-result.ts";
import { discardImage } from "./stage-image.ts";
import type { Actor, ApiContext, Profile, Result, Route, Wait } from "./types.ts";
import { toViolations } from "./violations.ts";

const nothing = z.object({});

/** Serves the routes: authenticates the caller, checks what the route declares, calls it, audits staff, and answers. */
export function mount(router: Router, routes: readonly Route[], context: ApiContext, profile: Profile) {
  for (const route of routes) {
    const representation = route.method === "patch" ? representationOf(route, routes) : undefined;
    const showing = showingRoute(route, routes);
    const method = route.method.toUpperCase();
    const attributes = { "http.request.method": method, "http.route": route.path };
    const serve: RequestHandler = (req, res) =>
      traced(
        `${method} ${route.path}`,
        { kind: "server", place: { begins: res.locals.requestId }, attributes },
        async () => {
          await handle(req, res).catch((error: unknown) => {
            annotate({ "http.response.status_code": statusOfError(error) });
            throw error;
          });
          annotate({ "http.response.status_code": res.statusCode });
        },
      );
    const handle = async (req: Request, res: Response) => {
      res.locals.route = route.path;
      // Signatures of webhooks and links are checked by their handlers.
      await throttleFailedLogins(context, req.ip, () => authenticateAndServe(req, res));
    };
    const authenticateAndServe = async (req: Request, res: Response) => {
      const actor = await authenticateCaller(route.access, context, req).catch((error: unknown) => {
        countRefusal(context, req, res, error);
        throw error;
      });
      res.locals.actor = actor?.id;
      const result = await auditStaff(context, req, res, actor, async () => {
        // A refused request costs something, too.
        limitRequest(context, req, res, route.access, actor);
        checkRole(route.access, actor);
        if (route.act) await checkAct(route, context, actor);
        return answer({ route, representation, showing, context, profile, req, res, actor });
      });
      context.answers.keep(context, req, res, route, result);
      await sendResult(req, res, route, result);
    };
    router[route.method](expressPath(route.path), serve);
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const known = routes.filter((route) => route.path === path);
    const allow = known.map(({ method }) => method.toUpperCase()).join(", ");
    router.all(expressPath(path), limitByAddress(context), (_req, res) => {
      res.set("allow", allow);
      throw new MethodNotAllowedError("Method Not Allowed");
    });
  }
  return router;
}

const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ":$1");

/** The GET of the same entity: If-Match refers to its ETag. */
function representationOf({ path }: Route, routes: readonly Route[]) {
  return routes.find((route) => route.method === "get" && route.path === path);
}

interface Call {
  route: Route;
  representation: Route | undefined;
  showing: Route | undefined;
  context: ApiContext;
  profile: Profile;
  req: Request;
  res: Response;
  actor: Actor | undefined;
}

async function answer(call: Call): Promise<Result> {
  const { route, context, req, res, actor } = call;
  const params = check(route.params, "path", req.params);
  const query = check(route.query, "query", req.query);
  route.refuse?.(context, { params, headers: req.headers } as never);
  const key = keyOf(call);
  // Each order sends a mail to any address that it names.
  if (route.limit && !isStaff(actor)) await limitAction(context, req, route.limit, actor);
  if (route.image && actor !== undefined) await limitAction(context, req, "uploads", actor);

  const received = await receiveBody(route, context, req, res);
  try {
    const body = received.check();
    if (route.limit && !actor) await limitRecipient(context, req, route.limit, body);
    const aborted = abortedSignal(call);
    const input = {
      params,
      query,
      body,
      bytes: received.bytes,
      headers: req.headers,
      image: received.image,
      actor,
      client: clientOfCall(call),
      profile: call.profile,
      reader: context.db.manager,
      txContext: { actorId: actor?.id ?? null, traceId: String(res.locals.requestId) },
      wait: route.waits ? waitOf(req, aborted) : undefined,
      get aborted() {
        return aborted();
      },
    };
    const whole = [req.method, req.baseUrl + req.path, query, body, received.image?.sha256 ?? null];
    const committed = createCommit({
      transact: context.transact,
      txContext: input.txContext,
      keyed: key === undefined ? undefined : keyedRequest(call, key, hashRequest(...whole)),
      precondition: preconditionOf(call, input),
    });
    const result = await route.handle(context, Object.assign(input, { commit: committed.commit }) as never);
    await settle(call, received, committed, key !== undefined);
    return withLocation(context, req, call.showing, result);
  } catch (error) {
    // After an outage it is unknown whether the commit succeeded, so the upload has to stay; strays expire.
    const isRefusal = error instanceof AppError && !(error instanceof UnavailableError);
    if (received.image && isRefusal) await discardImage(context.store, received.image);
    throw error;
  }
}

async function settle({ route, context }: Call, received: ReceivedBody, committed: Committed, isKeyed: boolean) {
  if (isKeyed && !committed.wasCalled()) throw new Error(`${route.path} is declared idempotent but commits nothing`);
  // The first request has brought the same picture already.
  if (committed.isReplay() && received.image) await discardImage(context.store, received.image);
}

function keyOf({ route, req }: Call): string | undefined {
  const key = req.get("idempotency-key");
  if (!route.idempotent || key === undefined) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const msg = "Value error, an Idempotency-Key has 1 to 255 visible ASCII characters";
  const loc = ["header", "idempotency-key"];
  throw new ValidationError([{ type: "value_error", loc, msg, input: key.slice(0, 300) }]);
}

/**
 * Only the content identifies a guest, since a stranger could send all the rest: the same key with other content counts
 * as another guest's.
 */
function keyedRequest({ route, actor }: Call, key: string, hash: string): KeyedRequest {
  const stranger = route.access === "api-key" ? "api-key" : `guest ${hash}`;
  return { scope: actor?.id ?? stranger, key, hash };
}

function preconditionOf({ route, representation, context, req }: Call, input: object) {
  const wanted = req.get("if-match");
  if (route.method !== "patch" || wanted === undefined) return undefined;
  return async (reader: unknown) => {
    if (wanted.trim() === "*") return;
    // Without the check, the change would look like a checked one.
    if (!representation)
      throw new PreconditionFailedError("This has no ETag of its own to compare; repeat it without If-Match");
    const { body } = await representation.handle(context, Object.assign(Object.create(input), { reader }) as never);
    if (matchesTag(wanted, etagOf(bytesOf(body)))) return;
    throw new PreconditionFailedError("It has been changed since you read it (If-Match); read it again and repeat");
  };
}

/** A server of an exempt network asks for many people. */
const clientOfCall = ({ context, req, actor }: Call) =>
  actor?.id ?? (context.isExempt(req.ip) ? undefined : clientOf(req.ip));

/** Made on demand: few routes wait, and a signal would cost every request more than its route. */
function abortedSignal({ route, context, res, actor }: Call) {
  let signal: AbortSignal | undefined;
  return () => {
    if (signal) return signal;
    if (!route.waits) throw new Error(`${route.path} waits and does not say so`);
    const aborted = new AbortController();
    const right = actor && !res.closed ? context.rights.watch(actor) : undefined;
    const end = () => {
      right?.stop();
      aborted.abort();
    };
    if (res.closed) end();
    else res.once("close", end);
    signal = AbortSignal.any([context.stopping, aborted.signal, ...(right ? [right.lost] : [])]);
    return signal;
  };
}

function waitOf(req: Request, aborted: () => AbortSignal): Wait | undefined {
  const seconds = preferredWait(req.headers.prefer);
  return seconds === undefined ? undefined : { seconds, signal: aborted() };
}

function check(schema: z.ZodType = nothing, source: "path" | "query", value: unknown) {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new ValidationError(toViolations(error, source, value));
}
