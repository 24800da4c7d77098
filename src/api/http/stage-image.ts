import { createHash, type Hash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { fileTypeFromBuffer } from "file-type";
import { TooLargeError, UnsupportedMediaError } from "../../errors.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import type { StagedImage } from "../../services/catalogue/images.ts";
import { placeholderImage } from "./placeholder-image.ts";

/** Maximum size of a picture, in bytes (contract 1.8). */
export const maxImageBytes = 5 * 1024 * 1024;
/** Enough of a file to detect its type. */
const headBytes = 4_100;

export interface IncomingFile {
  name: string;
  /** Its errors have a listener already, so that it may stay unread. */
  content: Readable;
  /** Maximum length of the file: it is part of a request of that length. */
  atMost: number;
}

/**
 * Checks an upload while it arrives and streams it to `staged/<date>/<id>`, and stores a placeholder at the address of
 * its picture. The staged object is padded with zeros to a length known beforehand, because S3 needs the length first;
 * `bytes` is the true one. Throws on a wrong type, on more than 5 MB and on an outage, and leaves nothing behind then.
 */
export async function stageImage(store: ObjectStore, folder: string, file: IncomingFile): Promise<StagedImage> {
  const chunks = file.content.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  try {
    const head = await readHead(chunks);
    const type = await checkType(head, file.name);
    return await putBoth(store, folder, joined(head, chunks), type, file.atMost);
  } catch (error) {
    // The rest of a refused file is read and discarded, or the form around it would never end.
    await drain(chunks);
    throw error;
  }
}

async function putBoth(
  store: ObjectStore,
  folder: string,
  chunks: AsyncIterable<Buffer>,
  contentType: string,
  atMost: number,
): Promise<StagedImage> {
  const id = randomUUID();
  const stagedKey = `staged/${new Date().toISOString().slice(0, 10)}/${id}`;
  const objectKey = `images/${folder}/${id}.webp`;
  const measure = { hash: createHash("sha256"), bytes: 0 };
  const length = Math.min(atMost, maxImageBytes);
  const stop = new AbortController();
  const original = Readable.from(padded(chunks, length, measure, stop), { objectMode: false });
  original.on("error", () => undefined);

  const [staged, placed] = await Promise.allSettled([
    store.put(stagedKey, original, { contentType }, { length, signal: stop.signal }),
    store.put(objectKey, placeholderImage, { contentType: "image/webp", cacheControl: "no-store" }),
  ]);
  if (staged.status === "fulfilled" && placed.status === "fulfilled") {
    return { id, objectKey, stagedKey, sha256: measure.hash.digest("hex"), bytes: measure.bytes };
  }
  original.destroy();
  await discardImage(store, { stagedKey, objectKey });
  stop.signal.throwIfAborted();
  throw staged.status === "rejected" ? staged.reason : (placed as PromiseRejectedResult).reason;
}

async function* padded(
  chunks: AsyncIterable<Buffer>,
  length: number,
  measure: { hash: Hash; bytes: number },
  stop: AbortController,
) {
  try {
    for await (const chunk of chunks) {
      measure.bytes += chunk.length;
      if (measure.bytes > maxImageBytes) throw new TooLargeError("The image is larger than 5 MB; send a smaller one");
      measure.hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    // The S3 client ignores errors of a body; it would wait for the rest until its time-out.
    stop.abort(error);
    throw error;
  }
  yield* zeros(length - measure.bytes);
}

/** Removes the objects of `stageImage`; an object that cannot be removed now expires in the bucket. */
export async function discardImage(store: ObjectStore, image: Pick<StagedImage, "stagedKey" | "objectKey">) {
  await Promise.allSettled([store.remove(image.stagedKey), store.remove(image.objectKey)]);
}

async function readHead(chunks: AsyncIterator<Buffer>) {
  const parts: Buffer[] = [];
  let size = 0;
  while (size < headBytes) {
    const { done, value } = await chunks.next();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  return Buffer.concat(parts);
}

async function drain(chunks: AsyncIterator<Buffer>) {
  try {
    while (!(await chunks.next()).done);
  } catch {
    // The stream is broken: there is no rest.
  }
}

async function* joined(head: Buffer, chunks: AsyncIterator<Buffer>) {
  yield head;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return;
    yield value;
  }
}

const zeroChunk = Buffer.alloc(64 * 1024);

function* zeros(count: number) {
  for (let left = count; left > 0; left -= zeroChunk.length) yield zeroChunk.subarray(0, left);
}

const extensionsOf: Record<string, string[]> = {
  "image/jpeg": ["jpg", "jpeg"],
  "image/png": ["png"],
  "image/webp": ["webp"],
};

/** The detected type decides, and the file name has to agree with it (contract 3.12). */
async function checkType(head: Buffer, name: string) {
  const type = await detectType(head);
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  if (extensionsOf[type]?.includes(extension)) return type;
  throw new UnsupportedMediaError(
    `File contents don’t match the file extension: Invalid file type: ${type}. ` +
      "Expected image file with extensions ('jpg', 'jpeg', 'png', 'webp').",
  );
}

async function detectType(head: Buffer) {
  if (head.length === 0) return "application/x-empty";
  const mime = (await fileTypeFromBuffer(head))?.mime;
  if (mime) return mime === "image/apng" ? "image/png" : mime;
  const start = head.subarray(0, 1_000).toString("latin1");
  if (/<svg[\s>]/i.test(start)) return "image/svg+xml";
  if (/<(!doctype html|html|body|script)/i.test(start)) return "text/html";
  return head.includes(0) ? "application/octet-stream" : "text/plain";
}
