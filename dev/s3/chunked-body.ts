import { createByteReader } from "./byte-reader.ts";
import { S3Error } from "./errors.ts";

const lineLimit = 4096;

/**
 * Yields the payload of an aws-chunked body and puts its trailing headers, names in lower case, into `trailers`;
 * throws IncompleteBody when the body is cut and InvalidRequest or MalformedTrailerError when it is not well-formed.
 */
export async function* decodeChunkedBody(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer, void> {
  const reader = createByteReader(source);
  try {
    let size = parseChunkSize(await reader.readUntil("\r\n", lineLimit));
    while (size > 0) {
      yield* reader.streamExactly(size);
      if ((await reader.readUntil("\r\n", lineLimit)) !== "") {
        throw new S3Error("InvalidRequest", "A chunk was longer than its size said.");
      }
      size = parseChunkSize(await reader.readUntil("\r\n", lineLimit));
    }
    let line = await reader.readUntil("\r\n", lineLimit);
    while (line !== "") {
      const [name, value] = parseTrailer(line);
      trailers.set(name, value);
      line = await reader.readUntil("\r\n", lineLimit);
    }
  } finally {
    await reader.close();
  }
}

function parseChunkSize(line: string): number {
  const size = line.split(";")[0] ?? "";
  if (!/^[0-9a-f]{1,12}$/i.test(size)) {
    throw new S3Error("InvalidRequest", "A chunk has no valid size.");
  }
  return Number.parseInt(size, 16);
}

function parseTrailer(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 1) {
    throw new S3Error("MalformedTrailerError");
  }
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}
