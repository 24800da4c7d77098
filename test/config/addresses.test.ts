import { describe, expect, test } from "vitest";
import { isInside, isThisMachine, isWide } from "../../src/config/addresses.ts";

describe("a host", () => {
  test.each([
    ...[
      "127.0.0.1",
      "10.1.2.3",
      "172.31.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "169.254.1.1",
      "[::1]",
      "[fd00::1]",
      "fe80::1",
    ],
    ...["::ffff:10.0.0.1", "redis", "redis-cache", "REDIS", "localhost", "db.localhost", "redis.shop.svc"],
    ...[
      "redis.shop.svc.cluster.local",
      "redis.shop.svc.cluster.local.",
      "db.internal",
      "nas.home.arpa",
      "",
      "/var/run/pg",
    ],
  ])("is inside: %j", (host) => {
    expect(isInside(host)).toBe(true);
  });

  test.each([
    ...["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.169.0.1", "[2001:db8::1]", "::ffff:8.8.8.8", "::", "0.0.0.0"],
    ...["db.example", "redis.shop", "x.svc.example", "local.example", "internal.example.com"],
    ...["134744072", "0x08080808", "8.8", "10.1", "0x7f.1", "010.0.0.1", "1redis", "64:ff9b::10.0.0.1", "-", "a b.c"],
  ])("is outside: %j", (host) => {
    expect(isInside(host)).toBe(false);
  });

  test("is this machine only where it is its own address or name", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST.", "a.localhost"])
      expect(isThisMachine(host), host).toBe(true);
    for (const host of ["10.0.0.1", "mail", "localhost.example", "0x7f.1", "smtp.example"])
      expect(isThisMachine(host), host).toBe(false);
  });
});

describe("networks", () => {
  test.each([
    [["0.0.0.0/0"]],
    [["::/0"]],
    [["0.0.0.0/1", "128.0.0.0/1"]],
    [["203.0.0.0/15"]],
    [["203.0.0.0/16", "198.51.100.7/32"]],
    [["10.0.0.0/7"]],
    [["fc00::/6"]],
    [["2001:db8::/47"]],
    [Array.from({ length: 257 }, (_, n) => `203.${n % 256}.${Math.floor(n / 256)}.0/24`)],
  ])("hold too many: %j", (cidrs) => {
    expect(isWide(cidrs)).toBe(true);
  });

  test.each([
    [[]],
    [["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128"]],
    [["203.0.0.0/16", "203.0.0.0/16"]],
    [["2001:db8::/48"]],
    [["198.51.100.7/32", "2001:db8::7/128"]],
  ])("hold few enough: %j", (cidrs) => {
    expect(isWide(cidrs)).toBe(false);
  });
});
