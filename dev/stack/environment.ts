import { environment } from "../../src/config.ts";
import { paths } from "./paths.ts";

/** What every program may see of the environment of this process. */
const basics = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"];

export type Variables = Record<string, string>;

/** Later starts load their modules in half the time. */
const cache = { NODE_COMPILE_CACHE: paths.moduleCache };

/** Servers without TLS on this machine, payments that take no money, tokens for every visitor: only for a try. */
const mode: Variables = { ENVIRONMENT: "local" };

/** Settings that a developer may override: the front ends' own development servers listen there. */
const usual: Variables = { CORS_ORIGINS: "http://localhost:3000,http://127.0.0.1:3000" };

/**
 * Gives a process of ours the variables that `src/config.ts` reads for it and no others: the stack's own values, else
 * what is set where the stack was started, else what is usual.
 */
export function environmentOf(kind: keyof typeof environment, values: Variables): Variables {
  const known = Object.keys(environment[kind].shape);
  return {
    ...cache,
    ...pick(usual, known),
    ...pick(process.env, [...basics, ...known]),
    ...pick(values, known),
    ...mode,
  };
}

/** Gives a helper process nothing but the basics and these values. */
export function bareEnvironment(values: Variables): Variables {
  return { ...cache, ...pick(process.env, basics), ...values };
}

function pick(from: NodeJS.ProcessEnv, names: string[]): Variables {
  return Object.fromEntries(names.flatMap((name) => (from[name] ? [[name, from[name]]] : [])));
}
