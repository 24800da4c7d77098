// Our API as it is, with what it needs besides the two addresses that the bench gives.
Object.assign(process.env, {
  PORT: "0",
  HOST: "127.0.0.1",
  LOG_LEVEL: "info",
  S3_ENDPOINT_URL: "http://127.0.0.1:9",
  S3_BUCKET_NAME: "bench",
  S3_ACCESS_KEY: "bench",
  S3_SECRET_KEY: "bench",
  S3_PUBLIC_URL: "https://pictures.example/bench",
  BETTER_AUTH_URL: "http://127.0.0.1:9",
  // There is one, but the bench does not reach it.
  RATE_LIMIT_ANONYMOUS: "999999999",
  DRAIN_TIMEOUT_MS: "0",
});
await import("../../src/api/main.ts");

export {};
