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
