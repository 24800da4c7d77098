import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Where requests to addresses from users may go. */
export interface OutboundRules {
  /** For development only: http, this machine and private networks are allowed, too. */
  allowPrivate: boolean;
}

/** A URL or an address that no request may go to; the message says why, and may be shown to the user who gave it. */
export class ForbiddenTargetError extends Error {
  override readonly name = "ForbiddenTargetError";
}

/** What IPv6 calls global unicast (RFC 4291, 2.4); everything else is special or not assigned yet. */
const globalUnicast = ipaddr.parseCIDR("2000::/3");
const privateRanges = ["loopback", "private", "uniqueLocal"];

/**
 * True for a public address of the Internet. False for everything special (RFC 6890): this machine, private and shared
 * networks, link-local addresses with the metadata services of clouds, multicast, documentation, and IPv6 addresses
 * with an IPv4 address in them (mapped, NAT64, 6to4, Teredo), whose destination a gateway decides.
 */
export function mayReach(address: string, { allowPrivate }: OutboundRules): boolean {
  // ipaddr.js takes half an address, too.
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (allowPrivate && privateRanges.includes(range)) return true;
  return range === "unicast" && (parsed.kind() === "ipv4" || parsed.match(globalUnicast));
}

/** Names that mean this machine or a private network (RFC 6761, 6762, 9476 and usage). */
const privateName = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|home\.arpa|localdomain|test|invalid)$/;
const maxUrlLength = 2_000;

/**
 * A URL that requests may go to, judged by its text; throws `ForbiddenTargetError` for any other. What its name
 * resolves to has to be checked with each request.
 */
export function readOutboundUrl(text: string, rules: OutboundRules): URL {
  const { allowPrivate } = rules;
  if (text.length > maxUrlLength) throw new ForbiddenTargetError(`it is longer than ${maxUrlLength} characters`);
  // Programs read these characters in different ways: some of them would see another host.
  if (/[\\\s\p{Cc}]/u.test(text)) throw new ForbiddenTargetError("it has a backslash, a space or a control character");
  if (!URL.canParse(text)) throw new ForbiddenTargetError("it is not a URL");
  const url = new URL(text);
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:"))
    throw new ForbiddenTargetError(`its scheme is '${url.protocol.slice(0, -1)}' and not 'https'`);
  if (url.username || url.password) throw new ForbiddenTargetError("it has a user or a password in it");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  // On ports below that are mail servers, file servers and the like, which a request could talk to.
  if (port <= 1_024 && port !== 443 && !(port === 80 && url.protocol === "http:"))
    throw new ForbiddenTargetError(`its port is '${port}'; it has to be 443 or above 1024`);
  checkHost(url.hostname, rules);
  url.hash = "";
  return url;
}

function checkHost(hostname: string, rules: OutboundRules) {
  // The URL parser has normalized all spellings of IPv4 addresses: octal, hexadecimal, one number.
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) {
    if (!mayReach(host, rules)) throw new ForbiddenTargetError(`'${host}' is not a public address`);
    return;
  }
  const name = host.replace(/\.$/, "");
  if (rules.allowPrivate && name === "localhost") return;
  if (!name.includes(".") || privateName.test(name))
    throw new ForbiddenTargetError(`'${host}' is not a name of the public Internet`);
}
