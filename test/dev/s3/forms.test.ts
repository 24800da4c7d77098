import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { describe, expect, test } from "vitest";
import { bucket, codeOf, photo, useS3Server } from "../../support/s3-server.ts";

const s3 = useS3Server();
const { head, get, keys, anonymous } = s3;

describe("form uploads", () => {
  type Conditions = NonNullable<Parameters<typeof createPresignedPost>[1]["Conditions"]>;

  async function post(
    Key: string,
    content: string | Buffer,
    { conditions = [], change = {} }: { conditions?: Conditions; change?: Record<string, string> } = {},
  ): Promise<Response> {
    const Fields = { "Content-Type": "image/png" };
    const options = { Bucket: bucket, Key, Conditions: conditions, Fields, Expires: 60 };
    const { url, fields } = await createPresignedPost(s3.client, options);
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...change })) {
      form.append(name, value);
    }
    form.append("file", new Blob([new Uint8Array(Buffer.from(content))]), "../my photo.png");
    return fetch(url, { method: "POST", body: form });
  }

  test("store the file under the name that the policy allows", async () => {
    const answer = await post(["form/$", "{filename}"].join(""), photo, {
      conditions: [["content-length-range", 1, 300_000]],
    });
    expect(answer.status).toBe(204);
    expect(await get("form/my photo.png")).toEqual(photo);
    expect(await head("form/my photo.png")).toMatchObject({ ContentType: "image/png" });
  });

  test("keep every byte, also those that look like a boundary", async () => {
    const content = Buffer.concat([Buffer.from("\r\n------formdata\r\n--\r\n"), photo, Buffer.from("\r\n-")]);
    expect((await post("form/bytes", content)).status).toBe(204);
    expect((await get("form/bytes")).equals(content)).toBe(true);
  });

  test("are refused when the file is too large or too small, and leave nothing", async () => {
    const conditions: Conditions = [["content-length-range", 10, 1000]];
    const large = await post("form/size", photo, { conditions });
    expect([large.status, await codeOf(large)]).toEqual([400, "EntityTooLarge"]);
    const small = await post("form/size", "x", { conditions });
    expect([small.status, await codeOf(small)]).toEqual([400, "EntityTooSmall"]);
    expect(await keys("form/size")).toEqual([]);
    await expect.poll(() => readdir(join(s3.directory, bucket, "incoming"))).toEqual([]);
  });

  test("are refused when a field is not what was signed", async () => {
    const change = (fields: Record<string, string>) => post("form/signed", "x", { change: fields });
    expect((await change({ "Content-Type": "text/html" })).status).toBe(403);
    expect((await change({ key: "form/other" })).status).toBe(403);
    expect((await change({ "x-amz-meta-extra": "x" })).status).toBe(403);
    expect((await change({ "X-Amz-Signature": "0".repeat(64) })).status).toBe(403);
    const policy = { expiration: "2999-01-01T00:00:00Z", conditions: [] };
    expect((await change({ Policy: Buffer.from(JSON.stringify(policy)).toString("base64") })).status).toBe(403);
    expect((await post("form/signed", "x", { conditions: [["starts-with", "$key", "other/"]] })).status).toBe(403);
    const unsigned = new FormData();
    unsigned.append("key", "form/signed");
    unsigned.append("file", new Blob(["x"]));
    expect((await anonymous("", { method: "POST", body: unsigned })).status).toBe(403);
    expect(await keys("form/signed")).toEqual([]);
  });
});
