import type { ErrorRequestHandler, Request, Response } from "express";
import { z } from "zod";
import type { TransactionContext } from "../../engine/index.ts";
import { AppError, TooManyRequestsError, UnauthorizedError, UnavailableError, ValidationError } from "../../errors.ts";
import type { Log } from "../../platform/logger.ts";
import { isPostgresUnavailable } from "../../platform/postgres/errors.ts";
import { sendJson } from "./send-result.ts";
import type { Result } from "./types.ts";

/** How much of a refused body is still read, so that the caller gets the answer. */
const unwanted = { ms: 3_000, bytes: 16 * 1024 * 1024 };

const common = {
  message: z.string().meta({ description: "For people" }),
  code: z.string().meta({ description: "For programs; never renamed" }),
  request_id: z.string().meta({ description: "Id of this request in the logs" }),
};

/** Error body of everything but 422. */
export const Problem = z.object({ detail: z.string(), ...common }).meta({ id: "Problem", description: "Error" });

/** Error body of 422: each wrong value, where it stands and what was expected. */
export const InvalidRequest = z
  .object({
    detail: z.array(
      z.object({
        type: z.string(),
        loc: z.array(z.union([z.string(), z.number()])),
        msg: z.string(),
        input: z.unknown(),
        ctx: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
    ...common,
  })
  .meta({ id: "InvalidRequest", description: "Values of the request are wrong" });

const statusOf: Record<string, number> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media: 415,
  invalid_request: 422,
  too_many_requests: 429,
  unavailable: 503,
};

interface Answer {
  status: number;
  headers?: Record<string, string>;
  code: string;
  detail: unknown;
  message: string;
}

/** The only place that turns an error into HTTP; an unexpected one is logged with its stack and answered with 500. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const answer = toAnswer(error);
    if (answer.status >= 500) log.error({ err: error, request: res.locals.requestId }, answer.message);
    if (res.headersSent) return void res.destroy();
    if (!req.complete) readOn(req);
    sendProblem(res, answer);
  };
}

/**
 * If a connection is closed while the caller still sends, the answer is lost; so it is closed only at the end.
 */
function readOn(req: Request) {
  let bytes = 0;
  req.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > unwanted.bytes) req.destroy();
  });
  const timer = setTimeout(() => req.destroy(), unwanted.ms);
  req.once("close", () => clearTimeout(timer));
}

function sendProblem(res: Response, { status, headers = {}, ...body }: Answer) {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader("cache-control", "no-store");
  res.status(status);
  sendJson(res, { ...body, request_id: res.locals.requestId });
}

/** The answer to an error whose transaction has to commit nevertheless. */
export function problem(error: AppError, { traceId }: TransactionContext): Result {
  const { status, headers = {}, ...body } = toAnswer(error);
  return { status, headers, body: { ...body, request_id: traceId } };
}

/** The status of the answer to an error. */
export function statusOfError(error: unknown) {
  return toAnswer(error).status;
}

function toAnswer(error: unknown): Answer {
  if (error instanceof ValidationError) {
    return { status: 422, code: error.code, detail: error.violations, message: error.message };
  }
  if (error instanceof AppError) {
    const { code, message } = error;
    return { status: statusOf[code] ?? 400, headers: headersOf(error), code, detail: message, message };
  }
  if (isPostgresUnavailable(error)) return toAnswer(new UnavailableError("The database cannot be reached"));
  return fromExpress(error) ?? plain(500, "internal", "Internal Server Error");
}

/** The headers of the answer to an error, whatever its body. */
export function headersOf(error: AppError): Record<string, string> {
  if (error instanceof UnauthorizedError) return { "www-authenticate": error.scheme };
  if (error instanceof TooManyRequestsError) return { "retry-after": String(error.retryAfterSeconds) };
  return error instanceof UnavailableError ? { "retry-after": "5" } : {};
}

/** Express' own errors of a broken request, such as a percent sign that encodes nothing. */
function fromExpress(error: unknown) {
  const { status, expose } = error as { status?: number; expose?: boolean };
  if (error instanceof URIError || status === 400) return plain(400, "bad_request", "The request is malformed");
  if (status === 415) return plain(415, "unsupported_media", "The request body is of a kind that is not accepted here");
  if (status === 413 && expose) return plain(413, "too_large", "The request body is too large");
  return undefined;
}

function plain(status: number, code: string, text: string): Answer {
  return { status, code, detail: text, message: text };
}
