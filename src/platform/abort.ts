/** What work is given to end by itself once it is aborted. */
const endingMs = 500;

/** Calls `act` once when the signal fires, at once when it has fired, until the returned function is called. */
export function onAbort(signal: AbortSignal, act: (reason: unknown) => void): () => void {
  const listener = () => act(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/**
 * Settles as `work` does, or rejects with the signal's reason half a second after the signal when the work has not ended
 * by then: an encoder in its thread cannot be stopped. What it still does has to be harmless.
 */
export function raceWithAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // Work that looks at the signal knows best how it ended: a mail may have been sent.
    const forget = onAbort(signal, (reason) => void setTimeout(() => reject(reason), endingMs).unref());
    work.then(resolve, reject).finally(forget);
  });
}

/**
 * Aborts `stop` with the first of these signals, until the returned function is called. As `AbortSignal.any`, which keeps
 * weak references: that costs a run of a job more than everything else around it.
 */
export function followSignals(stop: AbortController, signals: readonly AbortSignal[]): () => void {
  const ends = signals.map((signal) => onAbort(signal, (reason) => stop.abort(reason)));
  return () => {
    for (const end of ends) end();
  };
}

/** Settles as `work` does, or rejects after so long; the work goes on. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
