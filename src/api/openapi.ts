import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import type { Route } from "./define-route.ts";

/** OpenAPI 3.1 from the very objects that serve the requests, so that the two cannot drift apart. */
export function describeApi(routes: readonly Route[], version: string) {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: describe(route) };
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "TCF back end",
      version,
      description: "Back end of an auto-parts store. Slow work runs in the background; its jobs can be watched.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      // Relative, so that the reference works under whatever name a person reached it by.
      { url: "/", description: "Storefront representation" },
      { url: "/warehouse", description: "Warehouse representation: some lists are bare arrays" },
    ],
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
    paths,
  });
}

function describe(route: Route): ZodOpenApiOperationObject {
  const { params, query, summary, tag, role } = route;
  return {
    operationId: operationId(route),
    summary,
    tags: [tag],
    ...(role && { description: `Needs the role ${role}.` }),
    security: role ? [{ bearer: [] }] : [],
    requestParams: { ...(params && { path: params }), ...(query && { query }) },
    ...(route.form && { requestBody: { required: true, content: formContent(route) } }),
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, schema]) => [status, describeResponse(status, schema)]),
    ),
  };
}

function operationId({ method, path }: Route) {
  return `${method}${path.replaceAll(/[/{}_-]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replaceAll(/\W/g, "")}`;
}

function formContent({ form = z.object({}), image }: Route) {
  if (!image) return { "application/x-www-form-urlencoded": { schema: form } };
  const file = z.file().meta({ description: "JPEG, PNG or WebP, at most 5 MB and 50 megapixels" });
  return { "multipart/form-data": { schema: form.extend({ [image.field]: image.required ? file : file.optional() }) } };
}

function describeResponse(status: string, schema: z.ZodType) {
  const description = STATUS_CODES[status] ?? status;
  return schema instanceof z.ZodNull ? { description } : { description, content: { "application/json": { schema } } };
}
