export interface Mark {
  name: string;
  /** Milliseconds since the start. */
  at: number;
  until: number;
  /** What it hit. */
  what: string;
}

export interface Sample {
  at: number;
  promised: number;
  finished: number;
}

export type Timeline = ReturnType<typeof createTimeline>;

/** What happened in a run, and when: faults as marks, jobs as curves. */
export function createTimeline() {
  const began = Date.now();
  const marks: Mark[] = [];
  const samples: Sample[] = [];
  const failures: string[] = [];
  const now = () => Date.now() - began;
  return {
    marks,
    samples,
    /** Faults that could not be made to happen: a broken harness. */
    failures,
    now,
    mark(name: string) {
      const mark: Mark = { name, at: now(), until: now(), what: "" };
      marks.push(mark);
      return {
        end(what: string) {
          mark.until = now();
          mark.what = what;
        },
        fail(error: unknown) {
          mark.until = now();
          mark.what = "did not happen";
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        },
      };
    },
    sample(promised: number, finished: number) {
      samples.push({ at: now(), promised, finished });
    },
  };
}
