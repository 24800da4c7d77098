import ipaddr from "ipaddr.js";

/** Private networks: RFC 1918, 6598, 3927, 4193, 4291 and this machine. */
const inside = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
].map((cidr) => ipaddr.parseCIDR(cidr));

/** Names that only a private network resolves: RFC 6761, 6762, 8375, ICANN's `internal`, and Services of Kubernetes. */
const insideName = /^([a-z]([a-z0-9_-]*[a-z0-9])?|.+\.(localhost|local|internal|svc|home\.arpa))$/;

/**
 * True for a host inside the own network, judged by its text: a private or loopback address, a socket of this machine,
 * a name without a dot, or one under `.svc`, `.local`, `.internal`, `.localhost` or `.home.arpa`. It does not ask DNS:
 * the answer may change after the start, and a start must not depend on it. So any other name counts as public, also
 * one that resolves to a private address today.
 */
export function isInside(host: string): boolean {
  const name = plainHost(host);
  if (name === "" || name.startsWith("/")) return true;
  if (!ipaddr.isValid(name)) return insideName.test(name);
  // Programs differ in how they read half an address ("10.1") or a single number.
  return isWhole(name) && isWithin(ipaddr.process(name), 128);
}

/** True for a host that is this machine itself. */
export function isThisMachine(host: string): boolean {
  const name = plainHost(host);
  if (isWhole(name)) return ipaddr.process(name).range() === "loopback";
  return name === "" || /(^|\.)localhost$/.test(name) || name.startsWith("/");
}

/**
 * True when networks in CIDR notation contain more than 65,536 clients of the Internet together: IPv4 addresses, or
 * /64s of IPv6, one of which belongs to one client. Networks in `inside` do not count; overlaps count twice.
 */
export function isWide(cidrs: readonly string[]): boolean {
  const clients = { ipv4: 0, ipv6: 0 };
  for (const cidr of new Set(cidrs)) {
    const [address, bits] = ipaddr.parseCIDR(cidr);
    const kind = address.kind();
    if (!isWithin(address, bits)) clients[kind] += 2 ** Math.max(0, (kind === "ipv4" ? 32 : 64) - bits);
  }
  return Math.max(clients.ipv4, clients.ipv6) > 65_536;
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number) {
  return inside.some((network) => network[0].kind() === address.kind() && bits >= network[1] && address.match(network));
}

const plainHost = (host: string) =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
const isWhole = (host: string) => ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host);
