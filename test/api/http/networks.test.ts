import { describe, expect, test } from "vitest";
import { clientAddress, clientOf, inNetworks } from "../../../src/api/http/networks.ts";

/** Spellings of one client each, as sockets and proxies write them. */
const clients = [
  ["192.0.2.1", "192.0.2.1:5678", "192.0.2.1:", "::ffff:192.0.2.1", "::ffff:c000:201", "[::ffff:192.0.2.1]:443"],
  ["2001:db8::1", "2001:DB8:0:0::99", "[2001:db8::1]", "[2001:db8::1]:443", "2001:db8::ffff:0:0:1", "2001:db8::1%eth0"],
  ["", "unknown", "_hidden", "192.0.2.1.5", "192.0.2.256", "a:b", "[]", "x".repeat(16_000)],
] as const;

describe("a client", () => {
  test.each(clients)("is one in each spelling: %s", (...spellings) => {
    expect(new Set(spellings.map(clientOf)).size).toBe(1);
    const behindProxy = (one: string) =>
      clientAddress(
        { socket: { remoteAddress: "10.0.0.1" }, headers: { "x-forwarded-for": `1.1.1.1, ${one}` } } as never,
        1,
      );
    const named = spellings.flatMap((one) => (one ? [behindProxy(one)] : []));
    expect(new Set(named.map(clientOf)).size).toBe(1);
  });

  test("is none of the others", () => {
    expect(new Set(clients.map(([first]) => clientOf(first))).size).toBe(clients.length);
    expect(clientOf("2001:db8:0:1::1")).not.toBe(clientOf("2001:db8::1"));
    expect(clientOf("192.0.2.2")).not.toBe(clientOf("192.0.2.1"));
  });

  test("is in a network in each spelling, and what is no address in none", () => {
    const isIn = inNetworks(["192.0.2.0/24", "2001:db8::/32"]);
    const [four, six, none] = clients.map((spellings) => spellings.map(isIn));
    expect([...(four ?? []), ...(six ?? [])]).not.toContain(false);
    expect(none).not.toContain(true);
  });
});
