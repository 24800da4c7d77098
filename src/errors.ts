/**
 * Errors the caller can do something about. `code` is part of the public API: never rename one.
 * `api/http/problem.ts` maps codes to HTTP, `engine/classify-error.ts` to retries.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  override get name() {
    return this.constructor.name;
  }
}

export class NotFoundError extends AppError {
  readonly code = "not_found";
}

/** A link that needs no login has a signature that this system did not make. */
export class ForgedLinkError extends NotFoundError {
  readonly fault: CredentialFault = "wrong";
}

export class MethodNotAllowedError extends AppError {
  readonly code = "method_not_allowed";
}

export class ConflictError extends AppError {
  readonly code = "conflict";
}

export class BadRequestError extends AppError {
  readonly code = "bad_request";
}

/** What is wrong with a credential: it is missing, invalid or expired. */
export type CredentialFault = "missing" | "wrong" | "expired";

export class UnauthorizedError extends AppError {
  readonly code = "unauthorized";
  /** What the caller could have sent (`WWW-Authenticate`). */
  readonly scheme: string;
  readonly fault: CredentialFault;
  constructor(message: string, scheme = "Bearer", fault: CredentialFault = "wrong") {
    super(message);
    this.scheme = scheme;
    this.fault = fault;
  }
}

export class ForbiddenError extends AppError {
  readonly code = "forbidden";
}

/** The state that the caller expected (`If-Match`) is not the present one. */
export class PreconditionFailedError extends AppError {
  readonly code = "precondition_failed";
}

/** The caller has used up its rate limit or quota for now. */
export class TooManyRequestsError extends AppError {
  readonly code = "too_many_requests";
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class UnsupportedMediaError extends AppError {
  readonly code = "unsupported_media";
}

export class TooLargeError extends AppError {
  readonly code = "too_large";
}

/** A dependency is unavailable for the moment; the same request may succeed in a few seconds. */
export class UnavailableError extends AppError {
  readonly code = "unavailable";
}

/** One wrong value of a request, as contract 1.11 shows it. */
export interface Violation {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
}

/** The request is understood, but values in it are wrong; names them. */
export class ValidationError extends AppError {
  readonly code = "invalid_request";
  readonly violations: Violation[];
  constructor(violations: Violation[]) {
    super(violations.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; "));
    this.violations = violations;
  }
}

/** The act affects many things or cannot be undone, and the request gives no reason. */
export class ReasonNeededError extends ValidationError {
  constructor(act: string) {
    const msg = `Field required: say why, '${act}' takes a reason here and others will read it`;
    super([{ type: "missing", loc: ["body", "reason"], msg, input: null }]);
  }
}

/** A failure of a job that no retry can repair; people read its message. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
}

/** Whether a job took effect cannot be known: it is not repeated before a person has decided. */
export class InconclusiveError extends Error {
  override readonly name: string = "InconclusiveError";
}

const networkCodes = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"];

/** True when a connection could not be made or broke: the other side may not know of it. */
export function isNetworkError(error: unknown) {
  return networkCodes.includes(String((error as { code?: unknown } | null)?.code));
}

/** The process cannot start before an operator has corrected something; the message says what. */
export class StartUpError extends Error {
  override get name() {
    return this.constructor.name;
  }
}

/** As `StartUpError`, but it may pass by itself: a dependency cannot be reached, or is starting. */
export class NotThereYetError extends StartUpError {}
