export interface BatchOptions {
  /** Items in one call at the most. */
  size: number;
  /** Calls under way at once. */
  maxInFlight: number;
  /**
   * A call begins so long after the one before it at the earliest, so that more go together when many come. One that
   * took a single item holds up nobody: there is little to do.
   */
  minIntervalMs?: number;
  /** So many items do not wait for that; all that go in one call when absent. */
  flushAt?: number;
  /** True for an error that every item of the call would meet, so that trying them one by one is no use. */
  failsWholeBatch: (error: unknown) => boolean;
}

/**
 * Makes a function for one item of one that takes many: the first item goes at once, those that come while calls are
 * under way go together in the next one. Answers are in the order of items. When a call fails because of one of its
 * items, each is tried by itself.
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
