import { spawnSync } from "node:child_process";

/** Runs a program with its output shown; throws when it fails. With `isDry` it is only told. */
export function run(isDry: boolean, program: string, args: string[], env = process.env) {
  process.stdout.write(`${isDry ? "would run" : "running"}: ${[program, ...args].join(" ")}\n`);
  if (isDry) return;
  const { status, error } = spawnSync(program, args, { stdio: "inherit", env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with exit code ${status}`);
}

/** The variable's value; throws when it is empty. */
export function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** `repository@sha256:…`; throws for anything that another image could be put in the place of. */
export function byDigest(reference: string): string {
  if (/^[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}$/.test(reference)) return reference;
  throw new Error(`'${reference}' is not repository@sha256:…; a tag can be moved to another image`);
}
