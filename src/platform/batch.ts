export interface BatchOptions {
  /** Maximum number of items in one call. */
  size: number;
  /** Maximum number of calls in flight. */
  maxInFlight: number;
  /**
   * Minimum time between the starts of two calls, so that more items share a call under load. A call with a single item
   * delays nothing: there is little to do.
   */
  minIntervalMs?: number;
  /** With this many items a call does not wait for that; the maximum of one call when absent. */
  flushAt?: number;
  /** True for an error that every item of the call would meet: trying them one by one is then no use. */
  failsWholeBatch: (error: unknown) => boolean;
}

/**
 * Turns a function of many items into one of a single item: the first item goes at once, and items that come during a
 * call share the next one. Answers are in the order of items. When a call fails because of one of its items, each is
 * tried by itself.
 */
export function createBatcher<Item, Answer>(run: (items: Item[]) => Promise<Answer[]>, options: BatchOptions) {
  const { minIntervalMs = 0, flushAt = options.size } = options;
  interface Entry {
    item: Item;
    resolve: (answer: Answer) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Entry[] = [];
  let underWay = 0;

  const call = async (entries: Entry[]) => {
    try {
      const answers = await run(entries.map(({ item }) => item));
      entries.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer);
      });
    } catch (error) {
      if (entries.length === 1 || options.failsWholeBatch(error)) {
        for (const { reject } of entries) reject(error);
      } else {
        for (const entry of entries) await call([entry]);
      }
    }
  };
  let nextAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    if (waiting.length === 0 || underWay >= options.maxInFlight) return;
    const pauseMs = waiting.length < flushAt ? nextAt - performance.now() : 0;
    if (pauseMs <= 0) return begin();
    timer ??= setTimeout(() => {
      timer = undefined;
      if (waiting.length > 0 && underWay < options.maxInFlight) begin();
    }, pauseMs);
  };
  const begin = () => {
    clearTimeout(timer);
    timer = undefined;
    const entries = waiting.slice(0, options.size);
    waiting = waiting.slice(options.size);
    nextAt = entries.length > 1 ? performance.now() + minIntervalMs : 0;
    underWay++;
    void call(entries).finally(() => {
      underWay--;
      next();
    });
  };

  return (item: Item) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      next();
    });
}
