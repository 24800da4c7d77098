import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Everything the local stack keeps; `STACK_DIRECTORY` puts it elsewhere. */
export const directory = resolve(root, process.env.STACK_DIRECTORY || "var");

export const paths = {
  lock: join(directory, "supervisor.pid"),
  watchdog: join(directory, "watchdog.pid"),
  stack: join(directory, "stack.json"),
  ports: join(directory, "ports.json"),
  secrets: join(directory, "secrets.json"),
  identityKey: join(directory, "identity-key.json"),
  build: join(directory, "build"),
  moduleCache: join(directory, "cache"),
  logs: join(directory, "log"),
  postgres: join(directory, "postgres"),
  redis: join(directory, "redis"),
  s3: join(directory, "s3"),
  mail: join(directory, "mail"),
  payments: join(directory, "payments.json"),
  /** Outside the folder, so that tests and the stack share it and `npm run reset` keeps it. */
  redisBinary: join(root, "node_modules/.cache/tcf-backend/redis"),
};
