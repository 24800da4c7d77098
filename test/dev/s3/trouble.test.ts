import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { bucket, close, credentials, listen, megabyte, photo, swapBody, useS3Server } from "../../support/s3-server.ts";

const s3 = useS3Server();
const { put, get, keys } = s3;

const ignore = () => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

describe("a server that lives through trouble", () => {
  test("has its objects again after a restart, and drops half-written files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "s3-restart-"));
    const first = await listen(folder);
    const at = (running: Server) =>
      s3.newClient({ endpoint: `http://127.0.0.1:${(running.address() as AddressInfo).port}` });
    const Bucket = "made";
    const Key = "Кириллица/a b.png";
    const before = at(first);
    await before.send(new CreateBucketCommand({ Bucket }));
    await before.send(new PutObjectCommand({ Bucket, Key, Body: photo, ContentType: "image/png" }));
    await close(first);
    await writeFile(join(folder, Bucket, "incoming", "half"), "written");

    const second = await listen(folder);
    const after = at(second);
    const { Body, ContentType } = await after.send(new GetObjectCommand({ Bucket, Key }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(photo);
    expect(ContentType).toBe("image/png");
    const { Contents = [] } = await after.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map((object) => object.Key)).toEqual([Key]);
    expect(await readdir(join(folder, Bucket, "incoming"))).toEqual([]);
    await close(second);
    await rm(folder, { recursive: true });
  });

  test("keeps nothing of an upload that is cut half-way, and still has the old object", async () => {
    await put("cut/old", "old");
    for (const key of ["cut/old", "cut/new"]) {
      const url = new URL(await getSignedUrl(s3.client, new PutObjectCommand({ Bucket: bucket, Key: key })));
      const socket = connect(Number(url.port), url.hostname);
      await once(socket, "connect");
      const target = `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 1000000\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(target), photo]));
      await expect.poll(incoming).toHaveLength(1);
      socket.destroy();
      await expect.poll(incoming).toEqual([]);
    }
    expect(await keys("cut/")).toEqual(["cut/old"]);
    expect(String(await get("cut/old"))).toBe("old");
  });

  test("refuses aws-chunked bodies that are cut, malformed or without their trailer", async () => {
    const sum = "x-amz-checksum-crc32:NSRBwg==";
    expect(await putChunked("chunked/good", `1\r\na\r\n2;x=y\r\nbc\r\n0\r\n${sum}\r\n\r\n`)).toBeUndefined();
    expect(String(await get("chunked/good"))).toBe("abc");
    const refused = {
      [`3\r\nabd\r\n0\r\n${sum}\r\n\r\n`]: "BadDigest",
      [`4\r\nabcd\r\n0\r\n${sum}\r\n\r\n`]: "IncompleteBody",
      [`2\r\nabc\r\n0\r\n${sum}\r\n\r\n`]: "InvalidRequest",
      [`zz\r\nabc\r\n0\r\n${sum}\r\n\r\n`]: "InvalidRequest",
      "3\r\nabc\r\n0\r\n\r\n": "MalformedTrailerError",
      "3\r\nabc\r\n0\r\nno colon\r\n\r\n": "MalformedTrailerError",
      "3\r\nabc\r\n": "IncompleteBody",
      "3\r\na": "IncompleteBody",
    };
    for (const [body, code] of Object.entries(refused)) {
      expect(await putChunked("chunked/bad", body), JSON.stringify(body)).toBe(code);
    }
    expect(await keys("chunked/")).toEqual(["chunked/good"]);
    await vi.waitFor(async () => expect(await incoming()).toEqual([]), 10_000);
  });

  test("wants to know how long a body will be", async () => {
    const url = await getSignedUrl(s3.client, new PutObjectCommand({ Bucket: bucket, Key: "endless" }));
    const body = Readable.toWeb(Readable.from([photo])) as ReadableStream;
    const init: RequestInit & { duplex: "half" } = { method: "PUT", body, duplex: "half" };
    expect((await fetch(url, init)).status).toBe(411);
  });

  test("answers on the same connection after it refused a body", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const url = await getSignedUrl(s3.client, new GetObjectCommand({ Bucket: bucket, Key: "cut/old" }));
    const refused = await send(`${s3.endpoint}/${bucket}/unsigned`, "PUT", Buffer.alloc(2 * megabyte), agent);
    const allowed = await send(url, "GET", Buffer.alloc(0), agent);
    expect([refused.status, allowed.status]).toEqual([403, 200]);
    expect(allowed.port).toBe(refused.port);
    agent.destroy();
  });

  const incoming = () => readdir(join(s3.directory, bucket, "incoming"));

  /** Sends "abc", signed as the SDK does it, with another body in its place; returns the code of the refusal. */
  async function putChunked(Key: string, body: string): Promise<string | undefined> {
    const swapping = s3.newClient({ logger: silent });
    swapBody(swapping, Buffer.from(body));
    const command = new PutObjectCommand({ Bucket: bucket, Key, Body: Readable.from(["abc"]), ContentLength: 3 });
    return swapping.send(command).then(
      () => undefined,
      (error: Error) => error.name,
    );
  }

  async function send(url: string, method: string, body: Buffer, agent: Agent) {
    const sent = request(url, { method, agent, headers: { "content-length": body.length } });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const port = response.socket.localPort;
    response.resume();
    await once(response, "end");
    return { status: response.statusCode, port };
  }
});

describe("a server in a process of its own", () => {
  let folder: string;
  let child: ChildProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3-process-"));
  });

  afterEach(() => child.kill("SIGKILL"));

  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  async function run(): Promise<void> {
    child = fork(new URL("../../../dev/s3/main.ts", import.meta.url), {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      env: {
        ...process.env,
        S3_DIRECTORY: folder,
        PORT: "0",
        S3_ACCESS_KEY: credentials.accessKeyId,
        S3_SECRET_KEY: credentials.secretAccessKey,
        S3_BUCKET_NAME: bucket,
        S3_PUBLIC_PREFIXES: "images/, feeds/",
      },
    });
    const output = once(child.stdout as Readable, "data");
    const [message] = await once(child, "message");
    expect(message).toBe("ready");
    url = /http:\S+/.exec(String((await output)[0]))?.[0] ?? "";
  }

  test("says when it is ready, serves the public prefixes, and exits with 0 however often it is told to stop", async () => {
    await run();
    const own = s3.newClient({ endpoint: url });
    await own.send(new PutObjectCommand({ Bucket: bucket, Key: "feeds/all.xml", Body: "<x/>" }));
    expect(await (await fetch(`${url}/${bucket}/feeds/all.xml`)).text()).toBe("<x/>");
    expect((await fetch(`${url}/${bucket}/other`)).status).toBe(403);
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    child.kill("SIGINT");
    expect(await exit).toEqual([0, null]);
  });

  test("exits when its parent is gone", async () => {
    await run();
    const exit = once(child, "exit");
    child.disconnect();
    expect(await exit).toEqual([0, null]);
  });

  test("takes and gives 100 MB without growing", async () => {
    await run();
    const own = s3.newClient({ endpoint: url });
    const size = 100 * megabyte;
    const block = randomBytes(megabyte);
    const blocks = () => Readable.from(Array.from({ length: 100 }, () => block));
    const stored = { Bucket: bucket, Key: "large" };
    await own.send(new PutObjectCommand({ ...stored, Body: photo }));
    await (await own.send(new GetObjectCommand(stored))).Body?.transformToByteArray();
    const before = await peakMemory();
    await own.send(new PutObjectCommand({ ...stored, Body: blocks(), ContentLength: size }));
    const { Body } = await own.send(new GetObjectCommand(stored));
    let received = 0;
    for await (const chunk of Body as Readable) {
      received += chunk.length;
    }
    expect(received).toBe(size);
    if (before !== undefined) {
      expect(Number(await peakMemory()) - before).toBeLessThan(50 * megabyte);
    }
  }, 60_000);

  /** Only Linux tells. */
  async function peakMemory(): Promise<number | undefined> {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  }
});
