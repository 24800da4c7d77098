import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { S3Error } from "./errors.ts";

/** Secret keys by access key id. */
export type Credentials = Readonly<Record<string, string>>;

/** The parts of a request that a signature covers, headers in lower case. */
export interface SignedRequest {
  readonly method: string;
  /** As it came over the wire, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a valid signature says about the body: its SHA-256 in hex, or one of S3's words for "not covered". */
export interface Authentication {
  readonly payloadHash: string;
}

interface Claim {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly date: string;
  readonly payloadHash: string;
  readonly query: URLSearchParams;
}

const algorithm = "AWS4-HMAC-SHA256";
const clockSkewMilliseconds = 15 * 60_000;
const longestExpirySeconds = 7 * 24 * 60 * 60;

/**
 * Checks the SigV4 signature in the Authorization header or in the query of a presigned URL; returns null for a
 * request that has none. Throws S3's 4xx errors for one that is malformed, wrong, expired or out of time.
 */
export function authenticate(request: SignedRequest, credentials: Credentials, now: number): Authentication | null {
  const claim = readClaim(request, now);
  if (claim === null) {
    return null;
  }
  refuseUnsignedHeaders(request.headers, claim.signedHeaders);
  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(claim.query),
    canonicalHeaders(request.headers, claim.signedHeaders),
    claim.signedHeaders,
    claim.payloadHash,
  ].join("\n");
  const { key, scope } = findSigningKey(claim.credential, claim.date, credentials);
  const stringToSign = [algorithm, claim.date, scope, sha256Hex(canonicalRequest)].join("\n");
  verifySignature(key, stringToSign, claim.signature);
  return { payloadHash: claim.payloadHash };
}

/**
 * Derives the key that signs for a credential such as "AKID/20260102/us-east-1/s3/aws4_request"; throws
 * InvalidAccessKeyId for an unknown access key and AuthorizationHeaderMalformed for a scope that is not S3's.
 */
export function findSigningKey(
  credential: string,
  date: string,
  credentials: Credentials,
): { readonly key: Buffer; readonly scope: string } {
  const [accessKeyId = "", day = "", region = "", service, terminator, ...rest] = credential.split("/");
  if (service !== "s3" || terminator !== "aws4_request" || rest.length > 0 || !date.startsWith(`${day}T`)) {
    throw new S3Error("AuthorizationHeaderMalformed");
  }
  const secret = Object.hasOwn(credentials, accessKeyId) ? credentials[accessKeyId] : undefined;
  if (secret === undefined) {
    throw new S3Error("InvalidAccessKeyId");
  }
  const key = [day, region, service, terminator].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
  return { key, scope: [day, region, service, terminator].join("/") };
}

/** Throws SignatureDoesNotMatch unless the text was signed with the key. */
export function verifySignature(key: Buffer, text: string, signature: string): void {
  const expected = hmac(key, text);
  const given = Buffer.from(signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new S3Error("SignatureDoesNotMatch");
  }
}

/** Returns the headers of a presigned URL that its query carries in their stead, such as x-amz-meta-*. */
export function hoistedHeaders(query: URLSearchParams): Record<string, string> {
  const headers = [...query]
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => name.startsWith("x-amz-") && !signatureParameters.has(name));
  return Object.fromEntries(headers);
}

const signatureParameters = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-signedheaders",
  "x-amz-signature",
]);

function readClaim(request: SignedRequest, now: number): Claim | null {
  const authorization = request.headers.authorization;
  if (authorization !== undefined) {
    return readHeaderClaim(request, authorization, now);
  }
  return request.query.has("X-Amz-Signature") || request.query.has("X-Amz-Algorithm")
    ? readQueryClaim(request, now)
    : null;
}

function readHeaderClaim(request: SignedRequest, authorization: string, now: number): Claim {
  const pattern = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;
  const match = pattern.exec(authorization);
  const payloadHash = request.headers["x-amz-content-sha256"];
  if (match === null) {
    throw new S3Error("AuthorizationHeaderMalformed");
  }
  if (payloadHash === undefined) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  const [, credential = "", signedHeaders = "", signature = ""] = match;
  const date = request.headers["x-amz-date"] ?? "";
  if (Math.abs(now - parseDate(date)) > clockSkewMilliseconds) {
    throw new S3Error("RequestTimeTooSkewed");
  }
  return { credential, signedHeaders, signature, date, payloadHash, query: request.query };
}

function readQueryClaim(request: SignedRequest, now: number): Claim {
  const parameter = (name: string): string => {
    const value = request.query.get(name);
    if (value === null) {
      throw new S3Error("AuthorizationQueryParametersError");
    }
    return value;
  };
  const date = parameter("X-Amz-Date");
  const expiresInSeconds = Number(parameter("X-Amz-Expires"));
  if (parameter("X-Amz-Algorithm") !== algorithm || !isValidExpiry(expiresInSeconds)) {
    throw new S3Error("AuthorizationQueryParametersError");
  }
  const signedAt = parseDate(date);
  if (signedAt - now > clockSkewMilliseconds) {
    throw new S3Error("AccessDenied", "Request is not valid yet");
  }
  if (now > signedAt + expiresInSeconds * 1000) {
    throw new S3Error("AccessDenied", "Request has expired");
  }
  const query = new URLSearchParams(request.query);
  query.delete("X-Amz-Signature");
  return {
    credential: parameter("X-Amz-Credential"),
    signedHeaders: parameter("X-Amz-SignedHeaders"),
    signature: parameter("X-Amz-Signature"),
    date,
    payloadHash: query.get("X-Amz-Content-Sha256") ?? request.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
    query,
  };
}

function isValidExpiry(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds > 0 && seconds <= longestExpirySeconds;
}

function parseDate(date: string): number {
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(time)) {
    throw new S3Error("AccessDenied", "The request has no valid date.");
  }
  return time;
}

function refuseUnsignedHeaders(headers: SignedRequest["headers"], signedHeaders: string): void {
  const signed = new Set(signedHeaders.split(";"));
  const unsigned = Object.keys(headers).filter((name) => name.startsWith("x-amz-") && !signed.has(name));
  if (unsigned.length > 0 || !signed.has("host")) {
    throw new S3Error("AccessDenied", "There were headers present in the request which were not signed");
  }
}

function canonicalPath(path: string): string {
  return path
    .split("/")
    .map((segment) => encodeUri(decodeURIComponent(segment)))
    .join("/");
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]): [string, string] => [encodeUri(name), encodeUri(value)])
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function canonicalHeaders(headers: SignedRequest["headers"], signedHeaders: string): string {
  return signedHeaders
    .split(";")
    .map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`)
    .join("");
}

function encodeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
