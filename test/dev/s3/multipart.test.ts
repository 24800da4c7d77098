import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { bucket, megabyte, photo, refusal, useS3Server } from "../../support/s3-server.ts";

const s3 = useS3Server();
const { head, get } = s3;

describe("multipart uploads", () => {
  const Bucket = bucket;

  async function begin(Key: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
    const { UploadId = "" } = await s3.client.send(
      new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { foo: "bar" } }),
    );
    return { Bucket, Key, UploadId };
  }

  type Begun = Awaited<ReturnType<typeof begin>>;

  async function send(upload: Begun, PartNumber: number, Body: Buffer) {
    const { ETag } = await s3.client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag };
  }

  const complete = (upload: Begun, Parts: { PartNumber: number; ETag: string | undefined }[]) =>
    s3.client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));

  test("are nothing until they are complete, and only the listed parts count", async () => {
    const upload = await begin("multipart/whole");
    const bytes = randomBytes(5 * megabyte);
    await send(upload, 3, Buffer.from("replaced"));
    const last = await send(upload, 3, Buffer.from("last"));
    const first = await send(upload, 1, bytes);
    await send(upload, 2, Buffer.from("left out"));
    await expect(head(upload.Key)).rejects.toMatchObject(refusal("NotFound", 404));
    await complete(upload, [first, last]);
    expect((await get(upload.Key)).equals(Buffer.concat([bytes, Buffer.from("last")]))).toBe(true);
    expect((await head(upload.Key)).Metadata).toEqual({ foo: "bar" });
    await expect(complete(upload, [first, last])).rejects.toMatchObject(refusal("NoSuchUpload", 404));
  });

  test("are refused with wrong, missing, unordered or too small parts, and can then still be completed", async () => {
    const upload = await begin("multipart/wrong");
    const parts = [await send(upload, 1, Buffer.from("small")), await send(upload, 2, Buffer.from("last"))] as const;
    const invalidPart = refusal("InvalidPart", 400);
    await expect(complete(upload, [{ PartNumber: 1, ETag: "other" }])).rejects.toMatchObject(invalidPart);
    await expect(complete(upload, [{ PartNumber: 9, ETag: parts[0].ETag }])).rejects.toMatchObject(invalidPart);
    await expect(complete(upload, [parts[1], parts[0]])).rejects.toMatchObject(refusal("InvalidPartOrder", 400));
    await expect(complete(upload, [...parts])).rejects.toMatchObject(refusal("EntityTooSmall", 400));
    await complete(upload, [parts[0]]);
    expect(String(await get(upload.Key))).toBe("small");
  });

  test("can be aborted, and leave nothing", async () => {
    const upload = await begin("multipart/aborted");
    await send(upload, 1, photo);
    await s3.client.send(new AbortMultipartUploadCommand(upload));
    await expect(send(upload, 2, photo)).rejects.toMatchObject(refusal("NoSuchUpload", 404));
    expect(await readdir(join(s3.directory, bucket, "uploads"))).toEqual([]);
  });
});
