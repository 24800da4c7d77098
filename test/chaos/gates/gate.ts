import type { RunResult } from "../run.ts";
import type { Progress } from "../watch.ts";

/** What the command line says, and where progress goes. */
export interface GateOptions {
  seed: number;
  jobs: number | undefined;
  faults: number | undefined;
  seeds: number | undefined;
  minutes: number | undefined;
  log: (line: string) => void;
  progress?: ((now: Progress) => void) | undefined;
  /** Told of each run when it is over. */
  ran: (run: RunResult) => void;
}

export interface Gate {
  name: string;
  /** One sentence about what it shows. */
  promise: string;
  /** Takes minutes, so it is run before a release and not with every change. */
  isLong: boolean;
  /** Its runs; whatever must not be is among their violations. */
  run(options: GateOptions): Promise<RunResult[]>;
}

export interface GateResult {
  name: string;
  promise: string;
  runs: RunResult[];
  /** Sentences; none when the gate is passed. */
  failures: string[];
}

/** Runs a gate; `failures` tells whether it is passed. */
export async function runGate({ name, promise, run }: Gate, options: GateOptions): Promise<GateResult> {
  const runs = await run(options);
  const failures = runs.flatMap(({ name: title, seed, violations }) =>
    violations.map((violation) => `${title}, seed ${seed}: ${violation}`),
  );
  return { name, promise, runs, failures };
}
