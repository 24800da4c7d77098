import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3ClientConfig } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, test } from "vitest";
import { bucket, codeOf, credentials, photo, refusal, swapBody, useS3Server } from "../../support/s3-server.ts";

const s3 = useS3Server();
const { put, head, get, keys, anonymous } = s3;

describe("signatures", () => {
  const signed = (Key: string, more: object = {}, options: object = {}) =>
    getSignedUrl(s3.client, new GetObjectCommand({ Bucket: bucket, Key, ...more }), { expiresIn: 60, ...options });

  test("by a wrong secret, an unknown key or a wrong clock are refused", async () => {
    const attempt = (config: S3ClientConfig) => head("signed", s3.newClient(config));
    await put("signed");
    const other = { ...credentials, secretAccessKey: "wrong" };
    const list = s3.newClient({ credentials: other }).send(new ListObjectsV2Command({ Bucket: bucket }));
    await expect(list).rejects.toMatchObject(refusal("SignatureDoesNotMatch", 403));
    const forbidden = { $metadata: { httpStatusCode: 403 } };
    await expect(attempt({ credentials: other })).rejects.toMatchObject(forbidden);
    const inherited = { accessKeyId: "toString", secretAccessKey: String(Object.prototype.toString) };
    await expect(attempt({ credentials: inherited })).rejects.toMatchObject(forbidden);
    await expect(attempt({ systemClockOffset: 16 * 60_000 })).rejects.toMatchObject(forbidden);
    await expect(attempt({ systemClockOffset: 14 * 60_000 })).resolves.toBeDefined();
  });

  test("in a URL open one object, under the headers that the URL asks for", async () => {
    await put("presigned ё", photo);
    const url = await signed("presigned ё", { ResponseContentDisposition: `attachment; filename="q.jpg"` });
    const response = await fetch(url);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(photo);
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="q.jpg"`);
    expect((await fetch(await signed("presigned ё", { ResponseContentType: "текст" }))).status).toBe(400);
  });

  test("in a URL are refused when tampered with, expired, too long-lived or not valid yet", async () => {
    await put("presigned");
    await put("other");
    const url = await signed("presigned");
    const refused = [
      url.replace(/Signature=..../, "Signature=0000"),
      url.replace("/presigned", "/other"),
      `${url}&response-content-type=text/html`,
      url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
      await signed("presigned", {}, { signingDate: new Date(Date.now() - 61_000) }),
      await signed("presigned", {}, { signingDate: new Date(Date.now() + 3_600_000) }),
    ];
    expect((await fetch(url)).status).toBe(200);
    for (const bad of refused) {
      expect((await fetch(bad)).status, bad).toBe(403);
    }
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    expect((await fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=999999"))).status).toBe(400);
    expect((await fetch(url, { headers: { "x-amz-meta-a": "b" } })).status).toBe(403);
  });

  test("in a URL let a browser upload, with the metadata that was signed", async () => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: "by url",
      ContentType: "image/png",
      Metadata: { foo: "bar" },
    });
    const url = await getSignedUrl(s3.client, command, { expiresIn: 60 });
    const response = await fetch(url, { method: "PUT", body: photo, headers: { "content-type": "image/png" } });
    expect(response.status).toBe(200);
    expect(await get("by url")).toEqual(photo);
    expect(await head("by url")).toMatchObject({ ContentType: "image/png", Metadata: { foo: "bar" } });
  });

  test("in a URL that promises the checksum of an empty body refuse any other body, as S3 does", async () => {
    const command = new PutObjectCommand({ Bucket: bucket, Key: "promised" });
    const url = await getSignedUrl(s3.checking, command, { expiresIn: 60 });
    const response = await fetch(url, { method: "PUT", body: photo });
    expect([response.status, await codeOf(response)]).toEqual([400, "BadDigest"]);
    expect(await keys("promised")).toEqual([]);
  });

  test("cover the body: a changed payload or a wrong checksum is refused and not stored", async () => {
    const tampering = s3.newClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
    swapBody(tampering, Buffer.from("y"));
    const changed = tampering.send(new PutObjectCommand({ Bucket: bucket, Key: "digest/changed", Body: "x" }));
    await expect(changed).rejects.toMatchObject(refusal("XAmzContentSHA256Mismatch", 400));
    for (const wrong of [{ ChecksumCRC32: "AAAAAA==" }, { ChecksumSHA1: "AAAA" }, { ContentMD5: "AAAA" }]) {
      await expect(put("digest/wrong", "x", wrong)).rejects.toMatchObject(refusal("BadDigest", 400));
    }
    expect(await keys("digest/")).toEqual([]);
  });

  test("are not needed for single objects below a public prefix, and for nothing else", async () => {
    await put("images/a.webp", photo, { ContentType: "image/webp" });
    await put("images-private/a.webp");
    const open = await anonymous("images/a.webp");
    expect(Buffer.from(await open.arrayBuffer())).toEqual(photo);
    expect(open.headers.get("content-type")).toBe("image/webp");
    expect((await anonymous("images/a.webp", { method: "HEAD" })).status).toBe(200);
    expect((await anonymous("images/nothing.webp")).status).toBe(404);
    const refused: [string, RequestInit?][] = [
      ["images-private/a.webp"],
      ["images/../images-private/a.webp"],
      ["images/%2e%2e/images-private/a.webp"],
      ["images/b.webp", { method: "PUT", body: "x" }],
      ["images/a.webp", { method: "DELETE" }],
      ["?list-type=2&prefix=images/"],
      [""],
    ];
    for (const [path, init] of refused) {
      expect((await anonymous(path, init)).status, path).toBe(403);
    }
    expect((await anonymous("images/a.webp?response-content-type=text/html")).status).toBe(400);
    expect((await fetch(s3.endpoint)).status).toBe(403);
    expect((await anonymous("images/a.webp?uploads", { method: "POST" })).status).toBe(501);
    expect(await get("images/a.webp")).toEqual(photo);
  });

  test("let browsers of other origins in", async () => {
    const headers = {
      origin: "http://shop.example",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "content-type",
    };
    const preflight = await anonymous("any", { method: "OPTIONS", headers });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
    const refused = await anonymous("any", { headers: { origin: "http://shop.example" } });
    expect(refused.headers.get("access-control-allow-origin")).toBe("*");
  });
});
