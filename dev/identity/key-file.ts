import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

/** An Ed25519 private key as a JWK. */
export interface PrivateKey {
  kty: "OKP";
  crv: "Ed25519";
  alg: "EdDSA";
  /** Thumbprint of the public part. */
  kid: string;
  /** Public part. */
  x: string;
  /** Private part. */
  d: string;
}

/** Reads the key from its file, making both if there is no file yet; throws when the file holds something else. */
export async function loadKey(file: string): Promise<PrivateKey> {
  const text = await readFile(file, "utf8").catch(() => makeKeyFile(file));
  const key: unknown = parse(text);
  if (!isPrivateKey(key)) {
    throw new Error(`"${file}" does not hold an Ed25519 key. Delete it to get a new one.`);
  }
  return key;
}

/** Returns what the world may see of a key. */
export function publicPart({ kty, crv, alg, kid, x }: PrivateKey): Omit<PrivateKey, "d"> {
  return { kty, crv, alg, kid, x };
}

async function makeKeyFile(file: string): Promise<string> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  const key = { kty: "OKP", crv: "Ed25519", alg: "EdDSA", kid: await calculateJwkThumbprint(jwk), x: jwk.x, d: jwk.d };
  await mkdir(dirname(file), { recursive: true });
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, `${JSON.stringify(key)}\n`, { mode: 0o600 });
  try {
    // Unlike a rename, a link never replaces the key of a start at the same moment.
    await link(written, file).catch(ignoreExisting);
  } finally {
    await rm(written, { force: true });
  }
  return await readFile(file, "utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isPrivateKey(value: unknown): value is PrivateKey {
  return (
    typeof value === "object" &&
    value !== null &&
    "kty" in value &&
    value.kty === "OKP" &&
    "crv" in value &&
    value.crv === "Ed25519" &&
    "kid" in value &&
    typeof value.kid === "string" &&
    "d" in value &&
    typeof value.d === "string"
  );
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
    throw error;
  }
}
