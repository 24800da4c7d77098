import { z } from "zod";
import { environment } from "../../src/config.ts";
import { createDataSource } from "../../src/db/data-source.ts";
import { createObjectStore } from "../../src/platform/object-store.ts";
import { loadDemo } from "./load.ts";

const Environment = environment.api
  .pick({
    DATABASE_URL: true,
    S3_ENDPOINT_URL: true,
    S3_DEFAULT_REGION: true,
    S3_BUCKET_NAME: true,
    S3_ACCESS_KEY: true,
    S3_SECRET_KEY: true,
  })
  .extend({ DEMO_CATALOGUE: z.enum(["none", "small", "full"]).default("small") });

console.log(await run());

async function run() {
  const start = performance.now();
  const config = readEnvironment();
  const db = createDataSource(config.DATABASE_URL, 2);
  const store = createObjectStore({
    endpoint: config.S3_ENDPOINT_URL,
    region: config.S3_DEFAULT_REGION,
    bucket: config.S3_BUCKET_NAME,
    accessKeyId: config.S3_ACCESS_KEY,
    secretAccessKey: config.S3_SECRET_KEY,
    publicUrl: "",
  });
  await db.initialize();
  try {
    const loaded = await loadDemo(db, store, config.DEMO_CATALOGUE);
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    const counts = Object.entries(loaded).map(([what, count]) => `${count} ${what}`);
    return `${counts.join(", ")} loaded in ${seconds} s`;
  } finally {
    store.close();
    await db.destroy();
  }
}

function readEnvironment() {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ""));
  const { success, data, error } = Environment.safeParse(given);
  if (!success) throw new Error(`Bad configuration\n${z.prettifyError(error)}`);
  return data;
}
