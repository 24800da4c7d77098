import type { IncomingMessage } from "node:http";

/** Scheme and authority of a request line with an absolute URL (RFC 9112, 3.2.2). */
const origin = /^https?:\/\/(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?(?=[/?]|$)/i;
const host = /^(?:\[[\da-f:.]+\]|[\w.-]*)(?::\d{0,5})?$/i;
/** Parts that proxies and libraries read in different ways: `//`, `/./`, `/../`, and encoded slashes. */
const ambiguous = /\/\/|\/(?:\.|%2e){1,2}(?:\/|$)|%(?:2f|5c)/i;

/**
 * The normal form of a request's target, which all code here uses: path and query without scheme and authority, and
 * without the slash at the end of the path. A target that `addressFault` refuses is returned unchanged. Idempotent.
 */
export function normalTarget(target = "/"): string {
  const path = target.startsWith("/") ? target : withoutOrigin(target);
  const query = path.indexOf("?");
  const last = (query === -1 ? path.length : query) - 1;
  if (last < 1 || path[last] !== "/" || path[last - 1] === "/") return path;
  return path.slice(0, last) + path.slice(last + 1);
}

function withoutOrigin(target: string) {
  const known = origin.exec(target)?.[0];
  if (known === undefined) return target;
  const path = target.slice(known.length);
  return path.startsWith("/") ? path : `/${path}`;
}

/** True for a malformed Host header, or two of them: some proxies believe the first and some the last. */
export function hasOddHost({ rawHeaders, headers }: IncomingMessage): boolean {
  let hosts = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  return hosts > 1 || !host.test(headers.host ?? "");
}

/** Why a request is refused for its address, with the status that says so. */
export interface AddressFault {
  status: 400 | 404;
  message: string;
}

/**
 * What is wrong with a request's address, its target in the form of `normalTarget`; undefined when nothing is. It
 * refuses what two readers could take for two different paths: a rule of a proxy in front would cover only one of them.
 */
export function addressFault(req: IncomingMessage): AddressFault | undefined {
  const { url = "/", method, headers } = req;
  if (hasOddHost(req))
    return broken(
      `A request has one Host header, a name and at most a port; this one begins with '${headers.host?.slice(0, 100)}'`,
    );
  if (url === "*" && method === "OPTIONS") return undefined;
  const [path = ""] = url.split("?", 1);
  const shown = `'${path.slice(0, 100)}'`;
  if (!path.startsWith("/")) return broken(`${shown} is not a path; a path begins with '/'`);
  if (/[^\x21-\x7e]|#/.test(url) || path.includes("\\"))
    return broken(`${shown} or its query has characters that an address cannot have; percent-encode them, as UTF-8`);
  if (/%(?![\da-f]{2})/i.test(path)) return broken(`${shown} has a '%' that encodes nothing; write it as '%25'`);
  if (!ambiguous.test(path)) return undefined;
  return { status: 404, message: `There is no path ${shown}: none has empty parts, '.', '..' or an encoded slash` };
}

const broken = (message: string): AddressFault => ({ status: 400, message });
