import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { access, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isMissingFile, S3Error } from "./errors.ts";
import { keyToPath, pathToKey } from "./key-names.ts";
import { type ObjectHead, type OpenObject, openObjectFile, writeObjectFile } from "./object-file.ts";

/** What the present object (null: there is none) must look like for a write to go ahead; throws if it does not. */
export type Precondition = (present: ObjectHead | null) => void;

/**
 * Buckets and objects as files. There is no index to load or to lose: the file system is the only state. Methods
 * that take a bucket throw NoSuchBucket when there is none of that name.
 */
export interface ObjectStore {
  /** Throws InvalidBucketName or BucketAlreadyOwnedByYou. */
  createBucket(bucket: string): Promise<void>;
  /** Throws BucketNotEmpty. */
  removeBucket(bucket: string): Promise<void>;
  requireBucket(bucket: string): Promise<void>;
  listBuckets(): Promise<{ readonly name: string; readonly createdAt: Date }[]>;
  /** Creates or replaces an object in one step; no reader ever sees half of it, and on an error nothing changes. */
  put(
    address: ObjectAddress,
    chunks: AsyncIterable<Buffer>,
    describe: () => ObjectHead,
    precondition?: Precondition,
  ): Promise<ObjectHead>;
  /** Throws NoSuchKey. */
  open(address: ObjectAddress): Promise<OpenObject>;
  /** Does nothing when there is no such object. */
  remove(address: ObjectAddress): Promise<void>;
  /** Returns all keys of a bucket that start with the prefix, in the order of their UTF-8 bytes. */
  listKeys(bucket: string, prefix: string): Promise<string[]>;
}

/** Names an object. */
export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Opens the store in a directory, makes the buckets that are missing, and discards what a crash left half-written. */
export function openObjectStore(directory: string, buckets: readonly string[]): ObjectStore {
  const takeTurn = createTurns();

  const inBucket = (bucket: string, folder: string): string => join(directory, checkedName(bucket), folder);
  const objectPath = ({ bucket, key }: ObjectAddress): string => join(inBucket(bucket, "objects"), keyToPath(key));

  mkdirSync(directory, { recursive: true });
  const leftFromBefore = readdirSync(directory).filter((name) => bucketName.test(name));
  for (const bucket of new Set([...buckets, ...leftFromBefore])) {
    mkdirSync(inBucket(bucket, "objects"), { recursive: true });
    rmSync(inBucket(bucket, "incoming"), { recursive: true, force: true });
    mkdirSync(inBucket(bucket, "incoming"));
  }

  async function requireBucket(bucket: string): Promise<void> {
    try {
      if (bucketName.test(bucket)) {
        await access(inBucket(bucket, "objects"));
        return;
      }
    } catch (error) {
      if (!isMissingFile(error)) {
        throw error;
      }
    }
    throw new S3Error("NoSuchBucket");
  }

  async function createBucket(bucket: string): Promise<void> {
    await mkdir(inBucket(bucket, "incoming"), { recursive: true });
    // Made last and not recursively: this folder is what makes a bucket, and only one caller can make it.
    await mkdir(inBucket(bucket, "objects")).catch((error: unknown) => {
      throw isExistingFile(error) ? new S3Error("BucketAlreadyOwnedByYou") : error;
    });
  }

  async function removeBucket(bucket: string): Promise<void> {
    if ((await listKeys(bucket, "")).length > 0) {
      throw new S3Error("BucketNotEmpty");
    }
    await rm(inBucket(bucket, "."), { recursive: true });
  }

  async function listBuckets(): Promise<{ name: string; createdAt: Date }[]> {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory() && bucketName.test(entry.name)).map(({ name }) => name);
    return await Promise.all(
      names.sort().map(async (name) => ({ name, createdAt: (await stat(inBucket(name, "objects"))).birthtime })),
    );
  }

  async function put(
    address: ObjectAddress,
    chunks: AsyncIterable<Buffer>,
    describe: () => ObjectHead,
    precondition?: Precondition,
  ): Promise<ObjectHead> {
    await requireBucket(address.bucket);
    const path = objectPath(address);
    const written = join(inBucket(address.bucket, "incoming"), randomUUID());
    const head = await writeObjectFile(written, chunks, describe);
    try {
      await takeTurn(path, async () => {
        await checkPrecondition(path, precondition);
        await mkdir(dirname(path), { recursive: true });
        await rename(written, path);
      });
    } catch (error) {
      await rm(written, { force: true });
      throw error;
    }
    return head;
  }

  async function open(address: ObjectAddress): Promise<OpenObject> {
    await requireBucket(address.bucket);
    const object = await openObjectFile(objectPath(address));
    if (object === null) {
      throw new S3Error("NoSuchKey");
    }
    return object;
  }

  async function remove(address: ObjectAddress): Promise<void> {
    await requireBucket(address.bucket);
    await rm(objectPath(address), { force: true });
  }

  async function listKeys(bucket: string, prefix: string): Promise<string[]> {
    await requireBucket(bucket);
    const root = inBucket(bucket, "objects");
    const entries = await readdir(root, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => pathToKey(relative(root, join(entry.parentPath, entry.name))))
      .filter((key) => key.startsWith(prefix))
      .map((key) => Buffer.from(key))
      .sort(Buffer.compare)
      .map((key) => key.toString());
  }

  return {
    createBucket,
    removeBucket,
    requireBucket,
    listBuckets,
    put,
    open,
    remove,
    listKeys,
  };
}

async function checkPrecondition(path: string, precondition: Precondition | undefined): Promise<void> {
  if (precondition === undefined) {
    return;
  }
  const present = await openObjectFile(path);
  await present?.close();
  precondition(present?.head ?? null);
}

function checkedName(bucket: string): string {
  if (!bucketName.test(bucket)) {
    throw new S3Error("InvalidBucketName");
  }
  return bucket;
}

function isExistingFile(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

/** Runs actions on the same subject one after the other: no action may run between a condition and its write. */
function createTurns(): (subject: string, action: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return async (subject, action) => {
    const turn = (last.get(subject) ?? Promise.resolve()).then(action, action);
    last.set(subject, turn);
    try {
      await turn;
    } finally {
      if (last.get(subject) === turn) {
        last.delete(subject);
      }
    }
  };
}
