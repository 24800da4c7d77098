import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import busboy from "busboy";
import { AppError, BadRequestError, TooLargeError, ValidationError } from "../../errors.ts";
import type { IncomingFile } from "./stage-image.ts";

/** Limits of a form besides its file. */
const fieldBytes = 64 * 1024;
/** The largest form has about twenty. */
const maxFields = 100;

export interface FormOptions<F> {
  /** Multipart field that may carry the one file; absent: none may be sent. */
  fileField: string | undefined;
  /** Largest file, in bytes. */
  maxFileBytes: number;
  /** Processes the file while it arrives; `discard` removes its result when the form turns out invalid. */
  take: (file: IncomingFile) => Promise<F>;
  discard: (file: F) => Promise<void>;
}

export interface Form<F> {
  fields: Record<string, string>;
  file: F | undefined;
}

/**
 * Reads a form, multipart or urlencoded; any other body counts as an empty form (contract 1.8).
 * Limited in bytes, fields and files; throws when it is broken, too large or cut off, after removing the file.
 */
export async function receiveForm<F>(req: IncomingMessage, options: FormOptions<F>): Promise<Form<F>> {
  const type = req.headers["content-type"] ?? "";
  if (/^multipart\/form-data\b/i.test(type)) return receiveMultipart(req, options);
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return { fields: {}, file: undefined };
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of bounded(req, fieldBytes)) chunks.push(chunk);
  } catch (error) {
    throw error === req.errored ? brokenForm() : error;
  }
  const fields = emptyFields();
  let count = 0;
  for (const [name, value] of new URLSearchParams(Buffer.concat(chunks).toString("utf8"))) {
    if (++count > maxFields) throw new TooLargeError(`The form has more than ${maxFields} fields`);
    if (!isDecoded(value)) throw notUtf8(name);
    fields[name] = value;
  }
  return { fields, file: undefined };
}

/** Without a prototype, so that a field called `__proto__` is a field like any other. */
const emptyFields = () => Object.create(null) as Record<string, string>;

async function receiveMultipart<F>(req: IncomingMessage, options: FormOptions<F>): Promise<Form<F>> {
  const largest = options.maxFileBytes + fieldBytes;
  const declared = req.headers["content-length"] === undefined ? undefined : Number(req.headers["content-length"]);
  if (declared !== undefined && declared > largest) throw tooLarge(options.maxFileBytes);

  const parser = openParser(req);
  // The parser emits an error for each broken part; `feed` gets the first one, the others tell no more.
  parser.on("error", () => undefined);
  const fields = emptyFields();
  const files: Promise<F>[] = [];
  let refused: Error | undefined;
  // A part without a name has the name undefined, as has the file of a form that accepts none.
  const isFileField = (name: string | undefined) => name !== undefined && name === options.fileField;
  parser.on("field", (name, value, { nameTruncated, valueTruncated }) => {
    if (nameTruncated || valueTruncated) refused ??= new TooLargeError("A form field is longer than 64 kB");
    else if (!isDecoded(value)) refused ??= notUtf8(name);
    else if (isFileField(name) && value !== "") refused ??= notAFile(name, value);
    else if (name) fields[name] = value;
  });
  parser.on("file", (name, content, { filename }) => {
    // A form that is cut off fails each open part, and an error without a listener ends the process. The form reports
    // what was wrong.
    content.on("error", () => undefined);
    // A file part without a file name is an empty file input of a browser; files under other names are ignored.
    if (!filename || !isFileField(name)) return void content.resume();
    if (files.length > 0) refused ??= new BadRequestError(`Send one file, in the field '${name}'`);
    if (refused) return void content.resume();
    const taken = options.take({ name: filename, content, atMost: declared ?? largest });
    // It is awaited when the form has ended; until then its failure must not count as unhandled.
    taken.catch(() => undefined);
    files.push(taken);
  });
  for (const limit of ["partsLimit", "filesLimit", "fieldsLimit"]) {
    parser.on(limit, () => (refused ??= new TooLargeError("The form has too many parts")));
  }

  const broken = await feed(bounded(req, largest), parser).then(
    () => undefined,
    (error: Error) => error,
  );
  if (broken) parser.destroy(broken);
  const [taken] = await Promise.allSettled(files);
  const problem = problemOf(broken, refused, taken?.status === "rejected" ? taken.reason : undefined);
  const file = taken?.status === "fulfilled" ? taken.value : undefined;
  if (!problem) return { fields, file };
  if (file !== undefined) await options.discard(file);
  throw problem;
}

/** A form that ends too early breaks its file as well: then the form is at fault. */
function problemOf(broken: Error | undefined, refused: Error | undefined, untaken: unknown) {
  if (broken instanceof AppError || (!broken && refused)) return broken ?? refused;
  if (untaken instanceof AppError || !broken) return untaken;
  return brokenForm();
}

const brokenForm = () => new BadRequestError("The form is broken or was cut off");

function openParser(req: IncomingMessage) {
  try {
    return busboy({
      headers: req.headers,
      defParamCharset: "utf8",
      limits: {
        fieldSize: fieldBytes,
        fieldNameSize: 200,
        fields: maxFields,
        files: 3,
        parts: maxFields + 4,
        headerPairs: 20,
      },
    });
  } catch {
    throw new BadRequestError("Missing boundary in multipart.");
  }
}

async function feed(chunks: AsyncIterable<Buffer>, parser: busboy.Busboy) {
  const closed = once(parser, "close");
  // The code below that awaits it gets the error.
  closed.catch(() => undefined);
  for await (const chunk of chunks) {
    if (!parser.write(chunk)) await Promise.race([once(parser, "drain"), closed]);
  }
  parser.end();
  await closed;
}

async function* bounded(req: IncomingMessage, most: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > most) throw tooLarge(most);
    yield chunk;
  }
}

function tooLarge(bytes: number) {
  const megabytes = Math.floor(bytes / 1024 / 1024);
  return new TooLargeError(`The upload is larger than ${megabytes > 0 ? `${megabytes} MB` : `${bytes} bytes`}`);
}

/**
 * False for text whose bytes were not UTF-8: the replacement character stands where they were. A part that declares a
 * charset which the parser does not know has no value.
 */
function isDecoded(value: string | undefined) {
  return value !== undefined && !value.includes("\ufffd");
}

function notUtf8(name = "") {
  const msg = "Value error, the text is not valid UTF-8; send the form in UTF-8, whatever charset it declares";
  return new ValidationError([{ type: "value_error", loc: ["body", name.slice(0, 200)], msg, input: null }]);
}

function notAFile(name: string, input: string) {
  const msg = "Value error, Expected UploadFile, received: <class 'str'>";
  return new ValidationError([{ type: "value_error", loc: ["body", name], msg, input: input.slice(0, 200) }]);
}
