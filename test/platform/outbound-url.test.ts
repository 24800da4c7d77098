import { describe, expect, test } from "vitest";
import { ForbiddenTargetError, mayReach, readOutboundUrl } from "../../src/platform/outbound-url.ts";

const strict = { allowPrivate: false };
const development = { allowPrivate: true };

const special: [string, ...string[]][] = [
  ["this network", "0.0.0.0", "0.1.2.3", "::"],
  ["this machine", "127.0.0.1", "127.255.255.254", "::1"],
  ["a private network", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
  ["the metadata service of a cloud", "169.254.169.254", "fe80::a9fe:a9fe", "fd00:ec2::254"],
  ["a shared network", "100.64.0.1", "100.127.255.255"],
  ["multicast and broadcast", "224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"],
  ["documentation and tests", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1", "3fff::1"],
  ["no owner yet", "240.0.0.1", "192.0.0.8", "4000::1", "fec0::1", "100::1"],
  ["an IPv4 address in IPv6", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:8.8.8.8"],
  ["a gateway to IPv4", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1"],
  ["no address", "", "localhost", "1.2.3", "1.2.3.4.5", "[::1]"],
];

describe("an address of", () => {
  test.each(special)("%s is not reached", (_what, ...addresses) => {
    expect(addresses.filter((address) => mayReach(address, strict))).toEqual([]);
  });

  test.each(["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])(
    "the Internet, %s, is",
    (address) => {
      expect(mayReach(address, strict)).toBe(true);
    },
  );

  test("this machine and of a private network is reached in development, and nothing else that is special", () => {
    const all = special.flatMap(([, ...addresses]) => addresses);
    expect(all.filter((address) => mayReach(address, development))).toEqual([
      ...["127.0.0.1", "127.255.255.254", "::1"],
      ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1", "fd00:ec2::254"],
    ]);
  });
});

const hostile = [
  ...["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data/", "https://10.1.2.3/"],
  // Other spellings of 127.0.0.1 and 169.254.169.254.
  ...["https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/", "https://127.1/"],
  ...["https://0177.0.0.1/", "https://127.0.0.1./", "https://①②⑦.⓪.⓪.①/", "https://１２７.0.0.1/", "https://0/"],
  ...["https://2852039166/", "https://0xa9.0xfe.0xa9.0xfe/", "https://127。0。0。1/", "https://%31%32%37.0.0.1/"],
  ...["https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[0:0:0:0:0:ffff:10.0.0.1]/"],
  ...["https://[64:ff9b::169.254.169.254]/", "https://[2002:7f00:1::]/", "https://[fe80::1]/", "https://[::]/"],
  // Names of this machine and of networks of one's own.
  ...["https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/", "https://ⓛocalhost/"],
  ...["https://metadata.google.internal/", "https://redis/", "https://postgres.default.svc.cluster.local/"],
  ...["https://printer.local/", "https://router.lan/", "https://intranet/"],
  // The host is not what it seems to be.
  ...["https://example.com@127.0.0.1/", "https://user:secret@example.com/", "https://user@example.com/"],
  ...["https://example.com\\@127.0.0.1/", "https://127.0.0.1\\@example.com/", "https://127.0.0.1#@example.com/"],
  ...["https://exa\tmple.com/", " https://example.com/", "https://example.com/\n", "https://exam\u0000ple.com/"],
  // Other schemes and ports.
  ...["http://example.com/", "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "data:text/plain,a"],
  ...["https://example.com:22/", "https://example.com:25/", "https://example.com:80/", "https://example.com:0/"],
  ...["https://example.com:1024/", "javascript:alert(1)", "//example.com/", "example.com", "", "https://", "https:///"],
  ...["https://example.com:99999/", `https://example.com/${"a".repeat(2_000)}`],
];

describe("a URL that people have given", () => {
  test.each(hostile)("is refused: %j", (url) => {
    expect(() => readOutboundUrl(url, strict)).toThrow(ForbiddenTargetError);
  });

  test.each([
    ["https://example.com", "https://example.com/"],
    ["https://example.com:8443/hooks?a=b", "https://example.com:8443/hooks?a=b"],
    ["HTTPS://Example.COM:443/a#part", "https://example.com/a"],
    ["https://xn--e1afmkfd.xn--p1ai/", "https://xn--e1afmkfd.xn--p1ai/"],
    ["https://пример.рф/события", "https://xn--e1afmkfd.xn--p1ai/%D1%81%D0%BE%D0%B1%D1%8B%D1%82%D0%B8%D1%8F"],
    ["https://1.1.1.1/", "https://1.1.1.1/"],
    ["https://[2606:4700::1111]/", "https://[2606:4700::1111]/"],
  ])("is taken: %s", (url, read) => {
    expect(readOutboundUrl(url, strict).href).toBe(read);
  });

  test("may be of this machine and without encryption in development, but not more", () => {
    for (const url of ["http://127.0.0.1:8080/", "http://localhost/", "http://10.0.0.1/", "https://[::1]:8443/"])
      expect(readOutboundUrl(url, development).href).toBe(url);
    for (const url of ["http://169.254.169.254/", "http://u:p@127.0.0.1/", "http://127.0.0.1:22/", "ftp://127.0.0.1/"])
      expect(() => readOutboundUrl(url, development)).toThrow(ForbiddenTargetError);
  });

  test("is refused with a reason that can be shown", () => {
    const why = (url: string) => expect(() => readOutboundUrl(url, strict));
    why("https://0x7f.1/").toThrow("'127.0.0.1' is not a public address");
    why("https://example.com:22/").toThrow("its port is '22'; it has to be 443 or above 1024");
    why("http://example.com/").toThrow("its scheme is 'http' and not 'https'");
  });
});
