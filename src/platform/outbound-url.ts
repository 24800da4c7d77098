import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Where requests to addresses that people have given may go. */
export interface OutboundRules {
  /** For development alone: http, this machine and private networks are allowed, too. */
  allowPrivate: boolean;
}

/** A URL or an address that no request may go to; the message says why, and is fit for whoever gave it. */
export class ForbiddenTargetError extends Error {
  override readonly name = "ForbiddenTargetError";
}

/** What IPv6 calls global unicast (RFC 4291, 2.4); everything else is special, or not given to anybody yet. */
const globalUnicast = ipaddr.parseCIDR("2000::/3");
const privateRanges = ["loopback", "private", "uniqueLocal"];

/**
 * True for an address that is somebody's on the Internet. Everything special is not (RFC 6890): this machine, private
 * and shared networks, link-local addresses with the metadata services of clouds, multicast, documentation, and IPv6
 * addresses with an IPv4 address in them (mapped, NAT64, 6to4, Teredo), which lead to where a gateway likes.
 */
export function mayReach(address: string, { allowPrivate }: OutboundRules): boolean {
  // ipaddr.js takes half an address, too.
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (allowPrivate && privateRanges.includes(range)) return true;
  return range === "unicast" && (parsed.kind() === "ipv4" || parsed.match(globalUnicast));
}

/** Names that mean this machine or a network of one's own (RFC 6761, 6762, 9476 and usage). */
const privateName = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|home\.arpa|localdomain|test|invalid)$/;
const longest = 2_000;

/**
 * A URL that requests may go to as far as its text tells; throws `ForbiddenTargetError`. What its name resolves to has
 * to be looked at with each request.
 */
export function readOutboundUrl(text: string, rules: OutboundRules): URL {
  const { allowPrivate } = rules;
  if (text.length > longest) throw new ForbiddenTargetError(`it is longer than ${longest} characters`);
  // What programs read in different ways: to some of them the host would be another.
  if (/[\\\s\p{Cc}]/u.test(text)) throw new ForbiddenTargetError("it has a backslash, a space or a control character");
  if (!URL.canParse(text)) throw new ForbiddenTargetError("it is no URL");
  const url = new URL(text);
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:"))
    throw new ForbiddenTargetError(`its scheme is '${url.protocol.slice(0, -1)}' and not 'https'`);
  if (url.username || url.password) throw new ForbiddenTargetError("it has a user or a password in it");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  // Below are mail servers, file servers and the like, which a request could be made to talk to.
  if (port <= 1_024 && port !== 443 && !(port === 80 && url.protocol === "http:"))
    throw new ForbiddenTargetError(`its port is '${port}'; it has to be 443 or above 1024`);
  checkHost(url.hostname, rules);
  url.hash = "";
  return url;
}

function checkHost(hostname: string, rules: OutboundRules) {
  // The URL parser has made one spelling of all that IPv4 addresses have: octal, hexadecimal, one number.
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) {
    if (!mayReach(host, rules)) throw new ForbiddenTargetError(`'${host}' is no public address`);
    return;
  }
  const name = host.replace(/\.$/, "");
  if (rules.allowPrivate && name === "localhost") return;
  if (!name.includes(".") || privateName.test(name))
    throw new ForbiddenTargetError(`'${host}' is no name of the public Internet`);
}
