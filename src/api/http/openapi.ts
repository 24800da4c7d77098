import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import { rightTo } from "../../services/operations/job-rights.ts";
import { isSchema } from "./define-route.ts";
import { examples } from "./examples.ts";
import { showingRoute } from "./location.ts";
import { InvalidRequest, Problem } from "./problem.ts";
import type { Access, FileResponse, Route } from "./types.ts";

/** OpenAPI 3.1 from the objects that serve the requests, so that the two cannot differ. */
export function describeApi(routes: readonly Route[], version: string, base = "") {
  const paths: ZodOpenApiPathsObject = {};
  // Only an entity that can be read has an ETag for If-Match.
  const readable = new Set(routes.filter(({ method }) => method === "get").map(({ path }) => path));
  for (const route of routes) {
    const isTagged = route.method === "patch" && readable.has(route.path);
    paths[route.path] = {
      ...paths[route.path],
      [route.method]: describe(route, isTagged, showingRoute(route, routes)),
    };
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "TCF back end",
      version,
      description:
        "Back end of an auto-parts store. A PATCH changes only what it sends. Pictures, mails and documents are made by background jobs, which can be followed.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      // Relative, so that the reference works under whatever name a person reached it by.
      { url: base || "/", description: "Storefront representation" },
      { url: `${base}/warehouse`, description: "Warehouse representation: some lists are bare arrays" },
    ],
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        apiKey: { type: "apiKey", in: "header", name: "api-key" },
        webhookSecret: { type: "apiKey", in: "header", name: "x-better-auth-secret" },
      },
    },
    paths,
  });
}

function describe(route: Route, isTagged: boolean, showing: Route | undefined): ZodOpenApiOperationObject {
  const { params, query, summary, tag } = route;
  return {
    operationId: operationId(route),
    summary,
    tags: [tag],
    description: [route.description, accessNotes[route.access], actNote(route)].filter(Boolean).join("\n\n"),
    security: securityOf[route.access],
    requestParams: { ...(params && { path: params }), ...(query && { query }), ...headersOf(route, isTagged) },
    ...bodyOf(route),
    responses: Object.fromEntries(
      Object.entries(responsesOf(route)).map(([status, response]) => [
        status,
        { ...describeResponse(status, response), ...(status === "201" && showing && { headers: locationOf(showing) }) },
      ]),
    ),
    "x-access": route.access,
  };
}

const bearer = [{ bearer: [] }];
const securityOf: Record<Access, Record<string, string[]>[]> = {
  public: [],
  optional: [{}, ...bearer],
  USER: bearer,
  EMPLOYEE: bearer,
  ADMIN: bearer,
  "api-key": [{ apiKey: [] }],
  webhook: [{ webhookSecret: [] }],
  print: [{}, ...bearer],
};
const accessNotes: Record<Access, string> = {
  public: "Open to everybody.",
  optional: "Open to everybody; with a token the answer may show more.",
  USER: "Needs a token.",
  EMPLOYEE: "Needs the role EMPLOYEE.",
  ADMIN: "Needs the role ADMIN.",
  "api-key": "For programs that have the API key.",
  webhook: "For the identity provider.",
  print: "Needs the role EMPLOYEE, or an address that may print.",
};

function actNote({ act }: Route) {
  if (!act) return undefined;
  const right = rightTo(act.act, act.kind ?? "", false);
  return right?.minRank === "admin" ? "For admins." : "For admins, and employees whom `BOARD_OPERATORS` lists.";
}

function headersOf({ idempotent }: Route, isTagged: boolean) {
  const key = z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({
      description:
        "Any text of your choice. For 7 days, the same request under the same key is executed once. With a token, another " +
        "request under that key is 422; without one it counts as another guest's, and is executed.",
    });
  const tag = z
    .string()
    .optional()
    .meta({ description: "ETag of the state that you expect; 412 when the state has changed" });
  const headers = { ...(idempotent && { "Idempotency-Key": key }), ...(isTagged && { "If-Match": tag }) };
  return Object.keys(headers).length > 0 ? { header: z.object(headers) } : {};
}

function locationOf({ path }: Route) {
  const description = `Where it is: \`GET ${path}\`, in the representation that was asked`;
  return z.object({ Location: z.url().meta({ description }) });
}

/** The declared responses of a route, and those that its access and body always imply. */
function responsesOf(route: Route): Route["responses"] {
  const problems: number[] = [429, 503];
  if (route.access !== "public") problems.push(401);
  if (!["public", "optional", "api-key", "webhook"].includes(route.access)) problems.push(403);
  if (route.body || route.raw) problems.push(400, 413, 415);
  // A percent sign that encodes nothing.
  if (route.params) problems.push(400);
  return {
    ...Object.fromEntries(problems.map((status) => [status, Problem])),
    ...(route.access === "optional" && { 403: Problem }),
    ...(route.method === "patch" && { 412: Problem }),
    ...(route.idempotent && { 422: InvalidRequest }),
    ...route.responses,
  };
}

function operationId({ method, path }: Route) {
  return `${method}${path.replaceAll(/(?<![/{}_-])[/{}_-]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replaceAll(/\W/g, "")}`;
}

function bodyOf(route: Route) {
  if (route.raw) return { requestBody: { required: true, content: { "application/json": { schema: anything } } } };
  if (!route.body) return {};
  const accepts = route.accepts ?? ["json"];
  const json = accepts.includes("json") && { "application/json": { schema: route.body, ...exampleOf(route) } };
  const form = accepts.includes("form") && formContent(route);
  const required = !route.body.safeParse(undefined).success;
  return { requestBody: { required, content: { ...json, ...form } } };
}

const findExample = ({ method, path }: Route) => examples[`${method.toUpperCase()} ${path}`];

function exampleOf(route: Route) {
  const example = findExample(route);
  return example === undefined ? {} : { example };
}

/** A form's fields; the reference page looks for examples only there. */
function withExamples(route: Route) {
  const form = route.body instanceof z.ZodObject ? route.body : z.object({});
  const shape: Record<string, z.ZodType> = form.shape;
  const shown = Object.entries(findExample(route) ?? {}).flatMap(([name, value]) => {
    // As `examples` it would be left out of fields that change what they read.
    const field = shape[name]?.meta({ ...shape[name].meta(), override: { examples: [value] } });
    return field ? [[name, field]] : [];
  });
  return form.extend(Object.fromEntries(shown));
}

const anything = z.looseObject({});

function formContent(route: Route) {
  const { image } = route;
  const form = withExamples(route);
  if (!image) return { "application/x-www-form-urlencoded": { schema: form } };
  const file = z.file().meta({ description: "JPEG, PNG or WebP, at most 5 MB and 50 megapixels" });
  return { "multipart/form-data": { schema: form.extend({ [image.field]: image.required ? file : file.optional() }) } };
}

function describeResponse(status: string, response: z.ZodType | FileResponse) {
  const description = STATUS_CODES[status] ?? status;
  if (isSchema(response)) {
    const isEmpty = response instanceof z.ZodNull;
    return isEmpty ? { description } : { description, content: { "application/json": { schema: response } } };
  }
  const bytes = z.string().meta({ format: "binary" });
  return { description, content: Object.fromEntries(response.mediaTypes.map((type) => [type, { schema: bytes }])) };
}
