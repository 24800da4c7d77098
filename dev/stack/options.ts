import { parseArgs } from "node:util";
import { Refusal } from "./refusal.ts";

export const usage = `npm start [-- --fresh]

Starts PostgreSQL, Redis, S3, a mailbox, an identity issuer, the API and the workers on this machine.
Data, logs and addresses (stack.json) are kept in var/; \`npm run reset\` deletes it.

  --fresh   forget all data in var/ and start with the demo users, but without the demo catalogue
  --help    show this

  PORT                                        port of the API, 8080 without it
  DATABASE_URL, REDIS_URL, SMTP_HOST,         use this server instead of starting one
  S3_ENDPOINT_URL, BETTER_AUTH_URL
  STACK_DIRECTORY                             keep everything there instead of in var/
`;

/** Reads the command line; throws a refusal with exit code 64 for anything unknown. */
export function parseOptions(args: string[]): { fresh: boolean; help: boolean } {
  try {
    const flags = { fresh: { type: "boolean", default: false }, help: { type: "boolean", default: false } } as const;
    return parseArgs({ args, options: flags }).values;
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n\n${usage}`, 64);
  }
}
