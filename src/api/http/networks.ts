import type { IncomingMessage } from "node:http";
import ipaddr from "ipaddr.js";

/** Tells whether an address lies in one of the networks (CIDR notation, IPv4 or IPv6). */
export function inNetworks(cidrs: readonly string[]) {
  const networks = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  return (address: string | undefined) => {
    if (networks.length === 0) return false;
    const parsed = parse(address);
    return parsed !== undefined && networks.some((net) => parsed.kind() === net[0].kind() && parsed.match(net));
  };
}

/**
 * The key of one client: an IPv4 address, or the first half of an IPv6 address, which belongs to one client. All values
 * that are not addresses count as one client.
 */
export function clientOf(address = ""): string {
  if (plain.test(address)) return address;
  const parsed = parse(address);
  if (parsed?.kind() !== "ipv6") return parsed?.toString() ?? "";
  return `${parsed.toNormalizedString().split(":").slice(0, 4).join(":")}::/64`;
}

const plain = /^(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])){3}$/;
/** Some proxies name the client with its port, which differs for each connection. */
const withPort = /^\[([^\]]*)\](?::\d*)?$|^([^:]*):\d*$/;

function parse(address = "") {
  const [, six, four] = withPort.exec(address) ?? [];
  const bare = (six ?? four ?? address).trim();
  // IPv4 clients of a dual-stack socket look like ::ffff:10.0.0.1.
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

/** As Express' `req.ip` with the same number of trusted proxies. */
export function clientAddress({ socket, headers }: IncomingMessage, proxies: number) {
  const direct = socket.remoteAddress ?? "";
  if (proxies === 0) return direct;
  const forwarded = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
  const addresses = [direct, ...forwarded.reverse()];
  return addresses[Math.min(proxies, addresses.length - 1)] ?? direct;
}
