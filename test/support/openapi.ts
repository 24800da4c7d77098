import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

/** What an answer is judged by. */
export interface Received {
  method: string;
  url: string;
  status: number;
  contentType: string | null;
  text: string;
  /** The caller said which version it has already, so that 304 is an answer. */
  conditional?: boolean;
}

interface Response {
  content?: Record<string, { schema?: object }>;
}
interface Operation {
  responses?: Record<string, Response>;
}
type Paths = Record<string, Record<string, Operation>>;
/** How a body that is declared at this place of the document has to look. */
type Compile = (pointer: string) => ValidateFunction;

/** Every route may answer with these, whatever it declares; the body is a Problem. */
const defaults = [405, 429, 500, 503];
const problem = "#/components/schemas/Problem";

/** Parts of the server that are no part of the API: Bull Board, the reference, probes and measurements. */
const undocumented = /^\/(admin\/queues|docs|-|metrics|openapi\.json)?(\/|$)/;

/** A path with a slash in disguise is no path of the API, whatever it looks like. */
const hiddenSlash = /%(2f|5c)/i;

/**
 * A function that throws when an answer is not what the OpenAPI document promises, and says what is wrong. Schemas are
 * compiled when they are first needed, once.
 */
export function openApiChecker(document: object) {
  const compile = compiler(document);
  const operationOf = router((document as { paths?: Paths }).paths ?? {});
  return (answer: Received) => {
    const { pathname } = new URL(answer.url);
    if (undocumented.test(pathname) || answer.method === "OPTIONS") return;
    const found = hiddenSlash.test(pathname) ? undefined : operationOf(answer.method, pathname);
    const complaints = found ? judge(found, answer, compile) : judgeUnrouted(answer, compile);
    if (complaints.length === 0) return;
    const what = `${answer.method} ${pathname} answered ${answer.status}, which does not fit the OpenAPI document:`;
    throw new Error([what, ...complaints.map((one) => `- ${one}`), answer.text.slice(0, 1_000)].join("\n"));
  };
}

function compiler(document: object): Compile {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
  formats.default(ajv);
  ajv.addSchema(document, "document");
  const compiled = new Map<string, ValidateFunction>();
  return (pointer) => {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `document${pointer}` });
    compiled.set(pointer, validate);
    return validate;
  };
}

/** Finds the operation of a concrete path, in either representation; a literal segment wins over a parameter. */
function router(paths: Paths) {
  const parameters = (path: string) => path.split("{").length;
  const templates = Object.keys(paths)
    .toSorted((a, b) => parameters(a) - parameters(b))
    .map((path) => [path, new RegExp(`^(/warehouse)?${path.replaceAll(/\{\w+\}/g, "[^/]+")}/?$`, "i")] as const);
  return (method: string, pathname: string) => {
    const verb = method === "HEAD" ? "get" : method.toLowerCase();
    const path = templates.find(([template, pattern]) => pattern.test(pathname) && paths[template]?.[verb])?.[0];
    const operation = path && paths[path]?.[verb];
    return operation ? { operation, pointer: `#/paths/${segment(path)}/${verb}` } : undefined;
  };
}

function judgeUnrouted(answer: Received, compile: Compile) {
  return [404, 405, 429].includes(answer.status)
    ? judgeJson(compile(problem), answer)
    : ["the document has no such route"];
}

function judge(found: { operation: Operation; pointer: string }, answer: Received, compile: Compile): string[] {
  const { status, text } = answer;
  if (status === 304 && answer.conditional) return text === "" ? [] : ["a body with 304"];
  const response = found.operation.responses?.[status];
  if (!response) return defaults.includes(status) ? judgeJson(compile(problem), answer) : ["status is not declared"];
  if (!response.content) return text === "" ? [] : ["a body where none is declared"];
  const type = mediaType(answer);
  const media = response.content[type];
  if (!media) return [`content type '${type}' is not declared, only ${Object.keys(response.content).join(", ")}`];
  if (!media.schema || type !== "application/json") return [];
  return judgeJson(compile(`${found.pointer}/responses/${status}/content/${segment(type)}/schema`), answer);
}

function judgeJson(validate: ValidateFunction, answer: Received): string[] {
  if (answer.method === "HEAD") return [];
  if (mediaType(answer) !== "application/json") return [`content type '${answer.contentType}' instead of JSON`];
  if (validate(JSON.parse(answer.text))) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath || "the body"} ${message} ${JSON.stringify(params)}`;
  });
}

const mediaType = ({ contentType }: Received) => (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** A name as a step of a JSON pointer inside a URL. */
const segment = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
