import { PassThrough, type Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** How much of a stream is kept beside its first chunk. */
export const keptBytes = 128 * 1_024;
export const maxAttempts = 3;
const pauseMs = 50;

interface ReplayOptions {
  /** True for an error after which the same request may be sent again. */
  isBroken: (error: unknown) => boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Calls `send` with the stream and a signal that ends the request; calls it again, with the stream from its beginning,
 * while it throws such errors: up to three times, and only until more than the first chunk and `keptBytes` were read.
 * Throws the stream's own error when that breaks; destroys the stream when it gives up.
 */
export async function sendWithReplay(
  stream: Readable,
  { isBroken, signal }: ReplayOptions,
  send: (body: Readable, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { open, isWhole } = createReplay(stream);
  const failed = new AbortController();
  // An HTTP client that only pipes its body would wait for the rest.
  stream.on("error", (error) => failed.abort(error));
  for (let attempt = 1; ; attempt++) {
    const body = open();
    try {
      return await send(body, signal ? AbortSignal.any([signal, failed.signal]) : failed.signal);
    } catch (error) {
      stream.unpipe(body);
      body.destroy();
      failed.signal.throwIfAborted();
      if (attempt < maxAttempts && !signal?.aborted && isWhole() && isBroken(error)) await sleep(pauseMs * attempt);
      else {
        stream.destroy();
        throw error;
      }
    }
  }
}

function createReplay(stream: Readable) {
  const kept: Buffer[] = [];
  let keptMore = 0;
  let isWhole = true;
  stream.on("data", (chunk: Buffer) => {
    if (!isWhole) return;
    if (kept.length > 0) keptMore += chunk.length;
    isWhole = keptMore <= keptBytes;
    if (isWhole) kept.push(chunk);
    else kept.length = 0;
  });
  return {
    isWhole: () => isWhole,
    /** The stream from its beginning. One that was opened before has to be unpiped first. */
    open() {
      const body = new PassThrough();
      for (const chunk of kept) body.write(chunk);
      return stream.pipe(body);
    },
  };
}
