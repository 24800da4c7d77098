import { getCACertificates, setDefaultCACertificates } from "node:tls";

/**
 * Trusts these authorities (PEM) as well, in all TLS connections of this process that are made from now on. Those that
 * Node trusts by itself stay, also those of `NODE_EXTRA_CA_CERTS`. A client with a `ca` of its own ignores them.
 */
export function trustAlso(certificates: readonly string[]): void {
  if (certificates.length > 0) setDefaultCACertificates([...getCACertificates("default"), ...certificates]);
}

/** Ways in which TLS with a server fails until an operator corrects something, by the codes of Node and OpenSSL. */
const advice = {
  unknownAuthority: "put the certificate of the authority that signed it into the file of EXTRA_CA_FILE",
  validity: "renew it there, or compare the clocks of both machines",
  otherName: "use an address that the certificate names, or get a certificate for this one",
  broken: "get another certificate there",
  notTls: "the server does not speak TLS on this port: correct the port or the protocol of the address",
} as const;

const faults: Readonly<Record<string, keyof typeof advice>> = {
  SELF_SIGNED_CERT_IN_CHAIN: "unknownAuthority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "unknownAuthority",
  UNABLE_TO_GET_ISSUER_CERT: "unknownAuthority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknownAuthority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknownAuthority",
  CERT_UNTRUSTED: "unknownAuthority",
  CERT_HAS_EXPIRED: "validity",
  CERT_NOT_YET_VALID: "validity",
  ERR_TLS_CERT_ALTNAME_INVALID: "otherName",
  HOSTNAME_MISMATCH: "otherName",
  CERT_SIGNATURE_FAILURE: "broken",
  CERT_CHAIN_TOO_LONG: "broken",
  CERT_REVOKED: "broken",
  CERT_REJECTED: "broken",
  INVALID_CA: "broken",
  INVALID_PURPOSE: "broken",
  PATH_LENGTH_EXCEEDED: "broken",
  ERR_SSL_WRONG_VERSION_NUMBER: "notTls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "notTls",
};

/** A cause of a cause of an error is looked at, not more. */
const maxDepth = 3;

/**
 * Why TLS with `server` can never work as it is set up: its name, OpenSSL's code, and what an operator has to do;
 * undefined for any other error. Looks also at the causes of an error, where `fetch` puts it.
 */
export function tlsFault(error: unknown, server: string): string | undefined {
  const code = faultCode(error);
  const kind = code && faults[code];
  if (!kind) return undefined;
  const what = kind === "notTls" ? `TLS with ${server} fails` : `The certificate of ${server} is not trusted`;
  return `${what} (${code}): ${advice[kind]}`;
}

/** True when `tlsFault` has a sentence for the error. */
export const isTlsFault = (error: unknown) => faultCode(error) !== undefined;

function faultCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > maxDepth) return undefined;
  // Nodemailer puts a code of its own in place of that of TLS.
  const { code, originalCode, cause } = error as { code?: unknown; originalCode?: unknown; cause?: unknown };
  const known = [code, originalCode].map(String).find((one) => Object.hasOwn(faults, one));
  return known ?? faultCode(cause, depth + 1);
}
