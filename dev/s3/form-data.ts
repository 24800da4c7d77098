import { type ByteReader, createByteReader } from "./byte-reader.ts";
import { S3Error } from "./errors.ts";

/** An HTML form upload as S3 reads it: the fields before the file, and the file, which is read only once. */
export interface UploadForm {
  /** Field values by name in lower case. */
  readonly fields: Readonly<Record<string, string>>;
  readonly fileName: string;
  readonly file: AsyncIterable<Buffer>;
}

const fieldsLimit = 20 * 1024;
const headerLimit = 4096;

/**
 * Reads the fields of a multipart/form-data body up to the part named "file", and hands that over as a stream;
 * what follows the file is ignored. Throws MalformedPOSTRequest, IncompleteBody or MaxMessageLengthExceeded.
 */
export async function readUploadForm(source: AsyncIterable<Buffer>, contentType: string): Promise<UploadForm> {
  const delimiter = `\r\n--${parseBoundary(contentType)}`;
  const reader = createByteReader(source);
  try {
    // The first delimiter has no line break before it, unless there is a preamble.
    await reader.readUntil(delimiter.slice(2), headerLimit);
    const fields: Record<string, string> = {};
    let allowance = fieldsLimit;
    for (;;) {
      const part = await readPartHeader(reader);
      if (part.name === "file") {
        return { fields, fileName: part.fileName, file: streamFile(reader, delimiter) };
      }
      const value = await reader.readUntil(delimiter, allowance);
      allowance -= value.length;
      fields[part.name] = value;
    }
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function* streamFile(reader: ByteReader, delimiter: string): AsyncGenerator<Buffer, void> {
  try {
    yield* reader.streamUntil(delimiter);
  } finally {
    await reader.close();
  }
}

function parseBoundary(contentType: string): string {
  const match = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) {
    throw new S3Error("MalformedPOSTRequest");
  }
  return boundary;
}

async function readPartHeader(reader: ByteReader): Promise<{ name: string; fileName: string }> {
  // "--" instead of a line break ends the form, and a form without a file is of no use.
  if ((await reader.readUntil("\r\n", headerLimit)).trim() !== "") {
    throw new S3Error("MalformedPOSTRequest", "The form has no field named 'file'.");
  }
  const header = await reader.readUntil("\r\n\r\n", headerLimit);
  const name = /^content-disposition:.*?;\s*name="([^"]*)"/im.exec(header)?.[1];
  if (name === undefined) {
    throw new S3Error("MalformedPOSTRequest");
  }
  const fileName = /;\s*filename="([^"]*)"/i.exec(header)?.[1] ?? "";
  return { name: name.toLowerCase(), fileName: fileName.replace(/^.*[/\\]/, "") };
}
