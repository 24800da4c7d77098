import { CreateBucketCommand, HeadBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";

// Makes the bucket of S3_BUCKET_NAME, and its images and price lists public; may be repeated.

const text = z.string().min(1);
const env = z
  .object({
    S3_ENDPOINT_URL: text,
    S3_DEFAULT_REGION: text,
    S3_BUCKET_NAME: text,
    S3_ACCESS_KEY: text,
    S3_SECRET_KEY: text,
  })
  .parse(process.env);
const Bucket = env.S3_BUCKET_NAME;

const client = new S3Client({
  endpoint: env.S3_ENDPOINT_URL,
  region: env.S3_DEFAULT_REGION,
  credentials: { accessKeyId: env.S3_ACCESS_KEY, secretAccessKey: env.S3_SECRET_KEY },
  forcePathStyle: true,
});

const isThere = await client.send(new HeadBucketCommand({ Bucket })).then(
  () => true,
  (error: { $metadata?: { httpStatusCode?: number } }) => {
    if (error.$metadata?.httpStatusCode === 404) return false;
    throw error;
  },
);
if (!isThere) await client.send(new CreateBucketCommand({ Bucket }));
const Resource = ["images/*", "tmp/price_list_*"].map((keys) => `arn:aws:s3:::${Bucket}/${keys}`);
const Statement = [{ Effect: "Allow", Principal: "*", Action: ["s3:GetObject"], Resource }];
await client.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
console.log(`bucket '${Bucket}' ${isThere ? "exists" : "made"}; images/ and tmp/price_list_* are public`);
