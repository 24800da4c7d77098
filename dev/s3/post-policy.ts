import type { IncomingMessage, ServerResponse } from "node:http";
import { openBody } from "./body.ts";
import { S3Error } from "./errors.ts";
import { readUploadForm } from "./form-data.ts";
import { pickAttributes } from "./object-operations.ts";
import type { ObjectStore } from "./object-store.ts";
import { checkKey, rawBody, sendEmpty, sendXml } from "./request.ts";
import { type Credentials, findSigningKey, verifySignature } from "./signature.ts";

type Fields = Readonly<Record<string, string>>;

interface SizeLimits {
  readonly least: number;
  readonly most: number;
}

const fieldsOutsideThePolicy = new Set(["policy", "x-amz-signature", "file"]);

/**
 * PostObject: stores the file of an HTML form if its signed policy allows every field and the file's size. Throws
 * AccessDenied, SignatureDoesNotMatch, EntityTooLarge, EntityTooSmall or InvalidPolicyDocument.
 */
export async function postObject(
  store: ObjectStore,
  credentials: Credentials,
  bucket: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = await readUploadForm(rawBody(message), message.headers["content-type"] ?? "");
  const key = (form.fields.key ?? "").replace(/\$\{filename\}/g, () => form.fileName);
  const fields: Fields = { ...form.fields, key, bucket };
  const limits = checkPolicy(fields, credentials, Date.now());
  if (checkKey(key) === "") {
    throw new S3Error("InvalidArgument", "Bucket POST must contain a field named 'key'.");
  }
  if (fields.success_action_redirect !== undefined) {
    throw new S3Error("NotImplemented", "success_action_redirect is not implemented.");
  }
  const body = openBody(form.file, fields, "UNSIGNED-PAYLOAD");
  const attributes = pickAttributes(fields);
  const head = await store.put({ bucket, key }, limitSize(body.chunks, limits), () => {
    const { md5, checksums } = body.digests();
    return { ...attributes, etag: md5, checksums, modifiedAt: new Date().toISOString() };
  });
  const etag = `"${head.etag}"`;
  const location = `/${bucket}/${encodeURIComponent(key)}`;
  if (fields.success_action_status === "201") {
    sendXml(response, 201, "PostResponse", { Location: location, Bucket: bucket, Key: key, ETag: etag });
  } else {
    sendEmpty(response, fields.success_action_status === "200" ? 200 : 204, { etag, location });
  }
}

function checkPolicy(fields: Fields, credentials: Credentials, now: number): SizeLimits {
  const { policy = "" } = fields;
  if (policy === "" || fields["x-amz-algorithm"] !== "AWS4-HMAC-SHA256") {
    throw new S3Error("AccessDenied", "The form has no policy with an AWS4-HMAC-SHA256 signature.");
  }
  const { key } = findSigningKey(fields["x-amz-credential"] ?? "", fields["x-amz-date"] ?? "", credentials);
  verifySignature(key, policy, fields["x-amz-signature"] ?? "");
  const { expiration, conditions } = parsePolicy(policy);
  if (!(Date.parse(expiration) > now)) {
    throw new S3Error("AccessDenied", "Invalid according to Policy: Policy expired.");
  }
  const covered = new Set(fieldsOutsideThePolicy);
  let limits: SizeLimits = { least: 0, most: Number.POSITIVE_INFINITY };
  for (const condition of conditions) {
    if (Array.isArray(condition) && condition[0] === "content-length-range") {
      limits = parseSizeLimits(condition);
    } else {
      for (const name of checkCondition(condition, fields)) {
        covered.add(name);
      }
    }
  }
  // The bucket comes from the URL, so the policy may leave it out as a field but not contradict it.
  const extra = Object.keys(fields).find(
    (name) => name !== "bucket" && !covered.has(name) && !name.startsWith("x-ignore-"),
  );
  if (extra !== undefined) {
    throw new S3Error("AccessDenied", `Invalid according to Policy: Extra input fields: ${extra}`);
  }
  return limits;
}

function parsePolicy(policy: string): { expiration: string; conditions: unknown[] } {
  try {
    const document: unknown = JSON.parse(Buffer.from(policy, "base64").toString());
    if (isRecord(document)) {
      const { expiration, conditions } = document;
      if (typeof expiration === "string" && Array.isArray(conditions)) {
        return { expiration, conditions };
      }
    }
  } catch {
    // Falls through: not JSON is as invalid as the wrong JSON.
  }
  throw new S3Error("InvalidPolicyDocument");
}

function parseSizeLimits([, least, most]: readonly unknown[]): SizeLimits {
  if (!(Number(least) >= 0 && Number(most) >= Number(least))) {
    throw new S3Error("InvalidPolicyDocument");
  }
  return { least: Number(least), most: Number(most) };
}

/** Returns the names of the fields that the condition is about; throws AccessDenied when one does not comply. */
function checkCondition(condition: unknown, fields: Fields): string[] {
  if (Array.isArray(condition)) {
    const [operator, variable, value] = condition.map(String);
    const name = (variable ?? "").replace(/^\$/, "").toLowerCase();
    refuseUnless(complies(operator, fields[name] ?? "", value ?? ""), condition);
    return [name];
  }
  if (!isRecord(condition)) {
    throw new S3Error("InvalidPolicyDocument");
  }
  return Object.entries(condition).map(([name, value]) => {
    refuseUnless(fields[name.toLowerCase()] === String(value), condition);
    return name.toLowerCase();
  });
}

function complies(operator: string | undefined, field: string, value: string): boolean {
  if (operator === "eq") {
    return field === value;
  }
  if (operator === "starts-with") {
    return field.startsWith(value);
  }
  throw new S3Error("InvalidPolicyDocument");
}

function refuseUnless(holds: boolean, condition: unknown): void {
  if (!holds) {
    const text = JSON.stringify(condition);
    throw new S3Error("AccessDenied", `Invalid according to Policy: Policy Condition failed: ${text}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function* limitSize(chunks: AsyncIterable<Buffer>, limits: SizeLimits): AsyncGenerator<Buffer, void> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limits.most) {
      throw new S3Error("EntityTooLarge");
    }
    yield chunk;
  }
  if (size < limits.least) {
    throw new S3Error("EntityTooSmall");
  }
}
