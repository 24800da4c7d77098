import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { TransactionContext } from "../../engine/index.ts";
import type { JobName } from "../../jobs/index.ts";
import type { CachedBody } from "../../platform/cache.ts";
import type { StagedImage } from "../../services/catalogue/images.ts";
import type { Act } from "../../services/operations/job-rights.ts";
import type { Access, ActorOf } from "./access.ts";
import type { Commit } from "./commit.ts";
import type { ApiContext } from "./context.ts";

type Shape = z.ZodObject;
type Nothing = z.ZodObject<Record<never, never>>;
type NoBody = z.ZodUndefined;

/** The two representations of one API (contract 1.16). */
export type Profile = "shop" | "warehouse";

export interface ImageField {
  field: string;
  required: boolean;
  /** Folder under `images/` for the picture. */
  folder: string;
}

export interface Route<
  A extends Access = Access,
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends z.ZodType = z.ZodType,
> {
  method: "get" | "post" | "patch" | "put" | "delete";
  /** As in OpenAPI: `/categories/{category_id}`. */
  path: string;
  summary: string;
  /** What the summary has no room for; Markdown. */
  description?: string;
  tag: string;
  access: A;
  /** What a call does by the table of rights to jobs of this kind, or to a queue; asked besides `access`. */
  act?: { act: Act; kind?: JobName };
  params?: P;
  query?: Q;
  body?: B;
  /** How the body may be sent; JSON alone when absent. A form is multipart or urlencoded. */
  accepts?: readonly ("json" | "form")[];
  /** The one picture that a form may carry. */
  image?: ImageField;
  /** The body is handed over as bytes in `input.bytes`, because its signature covers them. */
  raw?: boolean;
  /** The body names people: the audit log keeps nothing of it. */
  isBodyPrivate?: boolean;
  /** An Idempotency-Key is honoured; the handler has to do its work through `input.commit`. */
  idempotent?: boolean;
  /**
   * Throws what configuration, path and headers alone tell: switched off, not signed at all. It is asked before any of the
   * body is read.
   */
  refuse?: (context: ApiContext, asked: Pick<Input<A, P, Q, B>, "params" | "headers">) => void;
  /**
   * It may keep its caller waiting: `input.gone` and `input.wait` are there, and the caller's right is looked at again. A
   * route with a picture always may.
   */
  waits?: boolean;
  /** Counted against a stricter limit besides the usual one. */
  limit?: "orders";
  /** `public`: answers are the same for everybody and may be kept, if they are asked about again. */
  cache?: "public";
  /** Answers by status; a schema, or the media type of what is no JSON. */
  responses: Record<number, z.ZodType | FileResponse>;
  handle: (context: ApiContext, input: Input<A, P, Q, B>) => Promise<Result>;
}

/** An answer that is a file or a text. */
export interface FileResponse {
  mediaTypes: readonly string[];
}

export interface Result {
  status: number;
  body?: unknown;
  /** Instead of `body`: an answer from the cache, with its ETag. */
  cached?: CachedBody;
  /** Instead of `body`: an answer in pieces; `headers` has to name its content-type. */
  stream?: AsyncIterable<string | Uint8Array>;
  /** Offers the answer as a file under this name. */
  fileName?: string;
  headers?: Record<string, string>;
}

export interface Input<A extends Access, P extends Shape, Q extends Shape, B extends z.ZodType> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
  /** The body as it came; only of a route that says `raw`. */
  bytes: Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  image: StagedImage | undefined;
  actor: ActorOf<A>;
  profile: Profile;
  /** What to read with. */
  reader: EntityManager;
  /** Changes things in one transaction, and keeps the answer for a repetition of the request; see `commit.ts`. */
  commit: Commit;
  /** For transactions of its own: on whose behalf, under which request id. */
  origin: TransactionContext;
  /** How long the caller would like to wait for a job's result; undefined when the header says nothing. Of routes that say `waits`. */
  wait: Wait | undefined;
  /**
   * Fires when nobody waits for the answer any more, the process stops, or the caller would be let in no more; then its
   * reason is the refusal. Of routes that say `waits`; throws for others.
   */
  gone: AbortSignal;
}

export interface Wait {
  seconds: number;
  /** As `gone`. */
  signal: AbortSignal;
}

/** Ties a route's handler to what it declares; `mount` and the OpenAPI document read the declaration. */
export function defineRoute<
  const A extends Access,
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  B extends z.ZodType = NoBody,
>(route: Route<A, P, Q, B>): Route {
  const waits = route.waits ?? route.image !== undefined;
  return { ...route, waits } as unknown as Route;
}

/** True for a response that is described by a schema. */
export function isSchema(response: z.ZodType | FileResponse): response is z.ZodType {
  return response instanceof z.ZodType;
}
