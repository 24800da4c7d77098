import { parseArgs } from "node:util";

/** Reads the command line; throws a sentence about what is wrong with it. */
export function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      long: { type: "boolean", default: false },
      gate: { type: "string", multiple: true, default: [] },
      seed: { type: "string", default: "1" },
      seeds: { type: "string" },
      jobs: { type: "string" },
      faults: { type: "string" },
      minutes: { type: "string" },
      report: { type: "string", default: "var/chaos" },
    },
  });
  const whole = (name: "seed" | "seeds" | "jobs" | "faults" | "minutes") => {
    const text = values[name];
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name}=${text} is no whole number`);
    return Number(text);
  };
  return {
    long: values.long,
    gates: values.gate.map((name) => name.toUpperCase()),
    seed: whole("seed") ?? 1,
    seeds: whole("seeds"),
    jobs: whole("jobs"),
    faults: whole("faults"),
    minutes: whole("minutes"),
    report: values.report,
  };
}
