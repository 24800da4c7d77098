import { createHash } from "node:crypto";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { bucket, refusal, useS3Server } from "../../support/s3-server.ts";

const s3 = useS3Server();
const { put, get } = s3;

describe("listing", () => {
  const list = (more: object) => s3.client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "list/", ...more }));

  beforeAll(async () => {
    for (const key of ["b/1", "b/2", "a/1", "c", "a", "é", "<&>"]) {
      await put(`list/${key}`);
    }
  });

  test("has all keys below a prefix in the order of their bytes", async () => {
    const { Contents = [], KeyCount, IsTruncated } = await list({});
    expect(Contents.map(({ Key }) => Key)).toEqual(
      ["<&>", "a", "a/1", "b/1", "b/2", "c", "é"].map((key) => `list/${key}`),
    );
    expect(Contents[0]).toMatchObject({ Size: 1, ETag: `"${createHash("md5").update("x").digest("hex")}"` });
    expect({ KeyCount, IsTruncated }).toEqual({ KeyCount: 7, IsTruncated: false });
  });

  test("rolls keys up behind a delimiter", async () => {
    const { Contents = [], CommonPrefixes, KeyCount } = await list({ Delimiter: "/" });
    expect(CommonPrefixes).toEqual([{ Prefix: "list/a/" }, { Prefix: "list/b/" }]);
    expect(Contents.map(({ Key }) => Key)).toEqual(["<&>", "a", "c", "é"].map((key) => `list/${key}`));
    expect(KeyCount).toBe(6);
  });

  test.each([{}, { Delimiter: "/" }])("comes in pages that repeat and miss nothing, with %o", async (how) => {
    const found: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list({ ...how, MaxKeys: 2, ContinuationToken });
      const names = [
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map((p) => p.Prefix),
      ];
      expect(names.length).toBeLessThanOrEqual(2);
      found.push(...names);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    const whole = await list(how);
    const names = [
      ...(whole.Contents ?? []).map(({ Key }) => Key),
      ...(whole.CommonPrefixes ?? []).map((p) => p.Prefix),
    ];
    expect(found.toSorted()).toEqual(names.toSorted());
  });

  test("starts after a key, and encodes keys on request", async () => {
    const { Contents = [] } = await list({ StartAfter: "list/b/1", EncodingType: "url" });
    expect(Contents.map(({ Key }) => Key)).toEqual(["list/b/2", "list/c", "list/%C3%A9"]);
  });
});

describe("buckets", () => {
  test("are created, found, listed, located and deleted when empty", async () => {
    const Bucket = "second-bucket";
    await s3.client.send(new CreateBucketCommand({ Bucket }));
    const again = s3.client.send(new CreateBucketCommand({ Bucket }));
    await expect(again).rejects.toMatchObject(refusal("BucketAlreadyOwnedByYou", 409));
    await s3.client.send(new HeadBucketCommand({ Bucket }));
    const { Buckets = [] } = await s3.client.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual([bucket, Bucket]);
    expect((await s3.client.send(new GetBucketLocationCommand({ Bucket }))).$metadata.httpStatusCode).toBe(200);
    await s3.client.send(new PutObjectCommand({ Bucket, Key: "x", Body: "x" }));
    const full = s3.client.send(new DeleteBucketCommand({ Bucket }));
    await expect(full).rejects.toMatchObject(refusal("BucketNotEmpty", 409));
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: "x" }));
    await s3.client.send(new DeleteBucketCommand({ Bucket }));
    await expect(s3.client.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject(refusal("NotFound", 404));
  });

  test("may not have names that are no bucket's", async () => {
    for (const name of ["Upper", "a", "a_b"]) {
      const answer = s3.client.send(new CreateBucketCommand({ Bucket: name }));
      await expect(answer, name).rejects.toMatchObject(refusal("InvalidBucketName", 400));
    }
    const outside = new CopyObjectCommand({ Bucket: bucket, Key: "x", CopySource: "../app/objects/tagged" });
    await expect(s3.client.send(outside)).rejects.toMatchObject(refusal("NoSuchBucket", 404));
  });

  test("answer 501 to what is not implemented", async () => {
    const Bucket = bucket;
    const rules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }];
    const notImplemented = refusal("NotImplemented", 501);
    await put("tagged");
    const cors = s3.client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
    await expect(cors).rejects.toMatchObject(notImplemented);
    const policy = s3.client.send(new PutBucketPolicyCommand({ Bucket, Policy: "{}" }));
    await expect(policy).rejects.toMatchObject(notImplemented);
    const tagging = s3.client.send(new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet: [] } }));
    await expect(tagging).rejects.toMatchObject(notImplemented);
    await expect(put("acl", "x", { ACL: "public-read" })).rejects.toMatchObject(notImplemented);
    await expect(put("crc", "x", { ChecksumCRC32C: "AAAAAA==" })).rejects.toMatchObject(notImplemented);
    expect(String(await get("tagged"))).toBe("x");
  });
});
