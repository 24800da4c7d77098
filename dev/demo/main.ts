import { z } from "zod";
import { environment, migrationsOf, s3Of } from "../../src/config.ts";
import { createDataSource, reaching } from "../../src/db/data-source.ts";
import { NotThereYetError, StartUpError, UnavailableError } from "../../src/errors.ts";
import { createObjectStore } from "../../src/platform/object-store.ts";
import { endOnUncaughtError } from "../../src/platform/start-up.ts";
import { trustAlso } from "../../src/platform/tls.ts";
import { whileUnreachable } from "../../src/platform/while-unreachable.ts";
import { loadDemo } from "./load.ts";

const Environment = environment.api
  .pick({
    EXTRA_CA_FILE: true,
    DATABASE_URL: true,
    DATABASE_POOLER: true,
    DATABASE_DIRECT_URL: true,
    S3_ENDPOINT_URL: true,
    S3_DEFAULT_REGION: true,
    S3_ADDRESSING: true,
    S3_BUCKET_NAME: true,
    S3_KEY_PREFIX: true,
    S3_PUBLIC_URL: true,
    S3_ACCESS_KEY: true,
    S3_SECRET_KEY: true,
  })
  .extend({ DEMO_CATALOGUE: z.enum(["none", "small", "full"]).default("small") });

/** None of the limits of a request: a busy machine may take minutes over a statement. */
const unhurried = { timeouts: {}, connectMs: 30_000 };

endOnUncaughtError("The demo load");
const config = readEnvironment();
trustAlso(config.EXTRA_CA_FILE);
const database = migrationsOf(config);
const patience = { say: (text: string) => console.error(text) };
console.log(await whileUnreachable(run, patience));

/** May be repeated: the shop is entered in one transaction. */
async function run() {
  const start = performance.now();
  const db = createDataSource(database.url, 2, { ...unhurried, isPooled: database.isPooled, name: "tcf demo" });
  const store = createObjectStore(s3Of(config));
  try {
    await reaching(database.url, () => db.initialize());
    const loaded = await loadDemo(db, store, config.DEMO_CATALOGUE, { patience }).catch(explain);
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    const counts = Object.entries(loaded).map(([what, count]) => `${count} ${what}`);
    return `${counts.join(", ")} loaded in ${seconds} s`;
  } finally {
    store.close();
    if (db.isInitialized) await db.destroy();
  }
}

function explain(error: unknown): Promise<never> {
  if (!(error instanceof UnavailableError)) return reaching(database.url, () => Promise.reject(error));
  throw new NotThereYetError(`S3 at ${config.S3_ENDPOINT_URL} cannot be reached: ${error.message}.`, { cause: error });
}

function readEnvironment() {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ""));
  const { success, data, error } = Environment.safeParse(given);
  if (!success) throw new StartUpError(`Bad configuration\n${z.prettifyError(error)}`);
  return data;
}
