import type { ServerResponse } from "node:http";
import {
  createBucket,
  deleteBucket,
  deleteObjects,
  getBucketLocation,
  headBucket,
  listBuckets,
  listObjects,
} from "./bucket-operations.ts";
import { S3Error } from "./errors.ts";
import { deleteObject, getObject, putObject } from "./object-operations.ts";
import type { ObjectStore } from "./object-store.ts";
import type { S3Request, Target } from "./request.ts";

type Operation = (store: ObjectStore, request: S3Request, response: ServerResponse) => Promise<void>;

/** An operation and how to tell it: by what the path names, the method, and the query. */
export interface Route {
  readonly scope: "service" | "bucket" | "object";
  readonly method: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Whether it may be asked for without a signature, below a public prefix. */
  readonly public: boolean;
  readonly run: Operation;
}

const secondListing = "2";
const listParameters = ["prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type"];
const overrides = ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type"];
const getParameters = [...overrides, "expires"].map((name) => `response-${name}`);

const routes: readonly Route[] = [
  route("service", "GET", [], listBuckets),
  route("bucket", "PUT", [], createBucket),
  route("bucket", "HEAD", [], headBucket),
  route("bucket", "DELETE", [], deleteBucket),
  route("bucket", "GET", ["location"], getBucketLocation),
  route("bucket", "GET", ["list-type"], listObjects, { optional: listParameters }),
  route("bucket", "POST", ["delete"], deleteObjects),
  route("object", "GET", [], getObject, { optional: getParameters, public: true }),
  route("object", "HEAD", [], getObject, { optional: getParameters, public: true }),
  route("object", "PUT", [], putObject),
  route("object", "DELETE", [], deleteObject),
];

const knownHeaders = new RegExp(
  `^x-amz-(${[
    "meta-.+",
    "date",
    "content-sha256",
    "decoded-content-length",
    "trailer",
    "user-agent",
    "sdk-checksum-algorithm",
    "checksum-(algorithm|mode|crc32|sha1|sha256)",
    "copy-source",
    "metadata-directive",
  ].join("|")})$`,
);

/**
 * Finds the operation that a request asks for; throws NotImplemented for everything else, also for a parameter that
 * the operation does not know, as ignoring it would be a wrong answer.
 */
export function findRoute(method: string, target: Target): Route {
  const scope = scopeOf(target);
  // "x-id" only repeats the operation's name; x-amz-* belongs to the signature of a presigned URL.
  const parameters = [...target.query.keys()].filter((name) => name !== "x-id" && !/^x-amz-/i.test(name));
  const found = routes.find(
    (candidate) =>
      candidate.scope === scope &&
      candidate.method === method &&
      candidate.required.every((name) => parameters.includes(name)) &&
      parameters.every((name) => candidate.required.includes(name) || candidate.optional.includes(name)),
  );
  const listing = target.query.get("list-type") ?? secondListing;
  if (found === undefined || listing !== secondListing) {
    throw new S3Error("NotImplemented");
  }
  return found;
}

/** Throws NotImplemented when a request carries an x-amz-* header that this server does not understand. */
export function refuseUnknownHeaders(headers: S3Request["headers"]): void {
  const unknown = Object.keys(headers).find((name) => name.startsWith("x-amz-") && !knownHeaders.test(name));
  if (unknown !== undefined) {
    throw new S3Error("NotImplemented", `The header "${unknown}" implies functionality that is not implemented.`);
  }
}

function route(
  scope: Route["scope"],
  method: string,
  required: readonly string[],
  run: Operation,
  more: Partial<Pick<Route, "optional" | "public">> = {},
): Route {
  return { scope, method, required, run, optional: [], public: false, ...more };
}

function scopeOf({ bucket, key }: Target): Route["scope"] {
  if (bucket === "") {
    return "service";
  }
  return key === "" ? "bucket" : "object";
}
