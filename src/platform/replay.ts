import { Readable } from "node:stream";
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
 * Throws the stream's own error when that breaks.
 */
export async function sendWithReplay(
  stream: Readable,
  { isBroken, signal }: ReplayOptions,
  send: (body: Readable, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { open, isWhole } = createReplay(stream);
  for (let attempt = 1; ; attempt++) {
    const body = open();
    const failed = new AbortController();
    // An HTTP client that only pipes the body would wait for the rest.
    body.on("error", (error) => failed.abort(error));
    try {
      return await send(body, signal ? AbortSignal.any([signal, failed.signal]) : failed.signal);
    } catch (error) {
      body.destroy();
      failed.signal.throwIfAborted();
      if (attempt >= maxAttempts || signal?.aborted || !isWhole() || !isBroken(error)) throw error;
      await sleep(pauseMs * attempt);
    }
  }
}

function createReplay(stream: Readable) {
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let kept: Promise<IteratorResult<Buffer>>[] = [];
  let readBytes = 0;
  const isWhole = () => readBytes <= keptBytes;
  const read = async (isFirst: boolean) => {
    const result = await chunks.next();
    if (!result.done && !isFirst) readBytes += result.value.length;
    return result;
  };

  async function* fromBeginning() {
    for (let at = 0; ; at++) {
      // A reader that was given up may have asked for this chunk already.
      kept[at] ??= read(at === 0);
      const { done, value } = await (kept[at] as Promise<IteratorResult<Buffer>>);
      if (done) return;
      if (!isWhole()) kept = [];
      yield value;
    }
  }
  return {
    isWhole,
    /** The stream from its beginning. One that was opened before must not be read any more. */
    open: () => Readable.from(fromBeginning(), { objectMode: false }),
  };
}
