import { describeApi } from "../../src/api/http/openapi.ts";
import type { Route } from "../../src/api/http/types.ts";

/** As much of JSON Schema as the document has. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  minLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

export interface Parameter {
  in: "path" | "query" | "header";
  name: string;
  required?: boolean;
  schema: Schema;
}

export interface Operation {
  operationId: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
  "x-access": Route["access"];
}

/** An operation with its place. */
export interface Described extends Operation {
  /** `PATCH /offers/{offer_id}` */
  name: string;
  method: string;
  path: string;
}

/** The OpenAPI document of these routes, and all its operations. */
export function readDocument(routes: readonly Route[]) {
  const document = describeApi(routes, "1.2.3");
  const paths = Object.entries(document.paths ?? {}) as unknown as [string, Record<string, Operation>][];
  const operations: Described[] = paths.flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      return { name: `${method} ${path}`, method, path, ...operation };
    }),
  );
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  /** What a reference stands for. */
  const follow = (schema: Schema): Schema => {
    const name = schema.$ref?.split("/").at(-1);
    return name === undefined ? schema : (schemas[name] ?? {});
  };
  return { document, operations, follow };
}
