import type { IncomingMessage } from "node:http";
import ipaddr from "ipaddr.js";

/** Tells whether an address lies in one of the networks (CIDR notation, IPv4 or IPv6). */
export function inNetworks(cidrs: readonly string[]) {
  const networks = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  return (address: string | undefined) => {
    if (networks.length === 0 || address === undefined || !ipaddr.isValid(address)) return false;
    // IPv4 clients of a dual-stack socket look like ::ffff:10.0.0.1.
    const parsed = ipaddr.process(address);
    return networks.some((network) => parsed.kind() === network[0].kind() && parsed.match(network));
  };
}

/** What stands for one client: an IPv4 address, or the first half of an IPv6 address, which one client has to itself. */
export function clientOf(address = ""): string {
  if (!address.includes(":")) return address;
  const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
  if (parsed?.kind() !== "ipv6") return parsed?.toString() ?? address;
  return `${parsed.toNormalizedString().split(":").slice(0, 4).join(":")}::/64`;
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
