import { listen } from "../../src/platform/listen.ts";
import { endOnUncaughtError } from "../../src/platform/start-up.ts";
import { portAdvice } from "../services/service.ts";
import { createS3Server } from "./server.ts";

const graceMilliseconds = 2000;

const bucket = readVariable("S3_BUCKET_NAME");
const publicPrefixes = (process.env.S3_PUBLIC_PREFIXES ?? "")
  .split(",")
  .map((prefix) => prefix.trim())
  .filter((prefix) => prefix !== "");
const host = process.env.HOST ?? "127.0.0.1";

const server = createS3Server({
  directory: readVariable("S3_DIRECTORY"),
  credentials: { [readVariable("S3_ACCESS_KEY")]: readVariable("S3_SECRET_KEY") },
  buckets: [bucket],
  publicPrefixes: publicPrefixes.map((prefix) => `${bucket}/${prefix}`),
});

endOnUncaughtError("S3");
const port = await listen(server, { port: Number(readVariable("PORT")), host, advice: portAdvice });
console.log(`S3 listens on http://${host}:${port}`);
// The callback takes the error of a parent that has died meanwhile; its "disconnect" stops us.
process.send?.("ready", undefined, undefined, () => undefined);

let stopping = false;
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
// Without its parent no program would ever stop it.
process.on("disconnect", stop);

function stop(): void {
  if (stopping) {
    return;
  }
  stopping = true;
  server.close(() => process.exit(0));
  setTimeout(() => server.closeAllConnections(), graceMilliseconds).unref();
}

function readVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    console.error(`${name} is not set.`);
    process.exit(1);
  }
  return value;
}
