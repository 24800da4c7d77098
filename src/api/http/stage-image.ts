import { createHash, type Hash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { fileTypeFromBuffer } from "file-type";
import { TooLargeError, UnsupportedMediaError } from "../../errors.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import type { StagedImage } from "../../services/catalogue/images.ts";

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

/**
 * Shown at the address of a picture until the picture is published: WebP, 640 × 480, 0.9 kB, drawn as SVG (a framed
 * mountain in five shades of grey) and saved lossless once, because the API cannot encode images.
 */
const placeholderImage: Buffer = Buffer.from(
  [
    "UklGRl4DAABXRUJQVlA4TFEDAAAvf8J3ACegEEAAxN+2kSHItvGX3fYTXJ5+/gP8tX4tSIxtO24binIBS1IAMkEB3gqwoN9/T5mQ",
    "H3iYj3kv64/oPyQ2khRJPohjpprplfq+m3xX6b/0X/ov/Zf+S/+l/9J/6b/0X/ov/fePp8e3u4W9+vh+IejVgl99Ue/G7MrusbbA",
    "1YWbtoJKTbElrnZmbmv4Su3xi1wR87KKK7X7xbv3OPDUS+CfS+04/vBy/Kiu8JVB7imvK/xkv3D7q3OJb62d2nPWJQarKzVfw/9p",
    "Qc3nTw9rvG/pv78ffbvbx7Ny2nF9l25u5+UNqineAjnR3L1l6popZl4kc/MXeEmms0JTMaW3xFownx0Pgrn1VrgKpvUuYyKYe++C",
    "ioLpXkTizy/9nkS/F6Tf3+36zY36HbeQ77iZfsdt9TtvIN95K/3Om8p33l6+dSO/bdYtxXnfUgplV0+r4ilmu3aaWVUIekB7Fwh6",
    "OLYKp5gdoptmdohsitkpqmlmp4immE1K2VXRzCalVVEUMzfoaKSJZuYGHY3og1rbKehoxB7UvZyCjkbsQfU+gehoRB5U7zOIjkbk",
    "YfWCjkbcYfWCjkbcQfWDjkbUQfWDjkbUIe0FHY2YQ9oLOhoxB7QfdDQiDmg/6GhE3HhHgo5GvI125ufyHN4GO/NniRfaBjvzd5kX",
    "2sY6828pP6yNdebf8n5YA4t/onohDSz+g6IX0saKBB2NOBv76CNBRyPOhooFHY0oGyoWdDSibKRo0NGIsZGiQUcjxgYKBx6NCBso",
    "HHg0IqxfOBNGI776hTNhNOJruPiJeiR0DRdfKIKErtHiC5WwsDVafKEcFrY6nZBJoxFZnU7IpNGILL+TUrcND1d+J2XfNjxcDRW/",
    "oM6MUDVU/IJiM0KV04lXc8LUuTPNCVHVabTwZE6jhSen8UJRp/FCkd+IYchvxDDkNmYIchszBHmNGn68Rg0/TuOGHqdxQ8+5kcPO",
    "uZHD0Ndtix1uXk5i58Zv34t1C577gTD71py1SnHXbN+kzd16NLl9u64QfvvGDZ+P3xf7Fn75Qb2Nb6+yb2v99g2u377V5ds3vYj7",
    "9hfuhVzV+8cbqnz/N8dlk+8q/Zf+S/+l/9J/6b/0X/ov/Zf+S/+l//7ptAEA",
  ].join(""),
  "base64",
);
