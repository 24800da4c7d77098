/** How long work may take to end by itself once it is aborted. */
const endingMs = 500;

/**
 * Settles as `work` does, or rejects with the signal's reason half a second after the signal when the work has not
 * ended by then: an encoder in its thread cannot be stopped. What the work still does then must be harmless.
 */
export function raceWithAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // Work that heeds the signal knows best how it ended: a mail may have been sent.
    const abort = () => void setTimeout(() => reject(signal.reason), endingMs).unref();
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Aborts `stop` with the first of these signals, until the returned function is called. As `AbortSignal.any`, which
 * keeps weak references: those cost a run of a job more than everything else around it.
 */
export function followSignals(stop: AbortController, signals: readonly AbortSignal[]): () => void {
  const abort = (event: Event) => stop.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) stop.abort(signal.reason);
    else signal.addEventListener("abort", abort);
  }
  return () => {
    for (const signal of signals) signal.removeEventListener("abort", abort);
  };
}
