import { parseArgs } from "node:util";
import { Refusal } from "./refusal.ts";

export const usage = `npm start [-- [--fresh] [--catalogue=none|small|full]]

Starts PostgreSQL, Redis, S3, a mailbox, an identity issuer, an emulated card provider, the API and the workers on this
machine.
Data, logs and addresses (stack.json) are kept in var/; \`npm run reset\` deletes it.

  --fresh       forget all data in var/ and start with the demo users, but without the demo shop
  --catalogue   which demo shop to load when there is no data yet: small (300 products, the default),
                full (8,600 products), or none; with --fresh it replaces the one that is there
  --help        show this

  PORT                                        port of the API, 8080 without it
  DATABASE_URL, REDIS_URL, SMTP_HOST,         use this server instead of starting one
  S3_ENDPOINT_URL, BETTER_AUTH_URL
  PAYMENT_PROVIDER                            use this card provider, with its own variables, instead of the emulated one
  YOOKASSA_RETURN_URL                         page that customers come back to after paying, instead of the emulator's
  STACK_DIRECTORY                             keep everything there instead of in var/
`;

const sizes = ["none", "small", "full"] as const;

/** How much of a demo shop is loaded into an empty database. */
export type CatalogueSize = (typeof sizes)[number];

export interface Options {
  fresh: boolean;
  help: boolean;
  /** Only when the person asked for it. */
  catalogue?: CatalogueSize;
}

/** Reads the command line; throws a refusal with exit code 64 for anything unknown. */
export function parseOptions(args: string[]): Options {
  const { catalogue, ...flags } = parse(args);
  if (catalogue === undefined) return flags;
  const size = sizes.find((known) => known === catalogue);
  if (size) return { ...flags, catalogue: size };
  throw new Refusal(`There is no catalogue "${catalogue}"; choose ${sizes.join(", ")}.\n\n${usage}`, 64);
}

function parse(args: string[]) {
  const options = {
    fresh: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    catalogue: { type: "string" },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n\n${usage}`, 64);
  }
}
