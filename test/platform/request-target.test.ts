import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { addressFault, normalTarget } from "../../src/platform/request-target.ts";

/** What a request line says, and the form in which everything looks at it. */
const forms: [sent: string, form: string][] = [
  ["/", "/"],
  ["/categories", "/categories"],
  ["/categories/", "/categories"],
  ["/categories/?page=2", "/categories?page=2"],
  ["/categories?page=2/", "/categories?page=2/"],
  ["/?page=2", "/?page=2"],
  ["/warehouse/", "/warehouse"],
  ["http://shop.example/categories/?page=2", "/categories?page=2"],
  ["HTTPS://shop.example:443/categories", "/categories"],
  ["http://[::1]:8080/categories", "/categories"],
  ["http://shop.example", "/"],
  ["http://shop.example?page=2", "/?page=2"],
  ["/categories/slug/%D1%82", "/categories/slug/%D1%82"],
];

/** What is refused, and how; each of them some proxy in front reads as another path than some library behind it. */
const refused: [target: string, status: 400 | 404][] = [
  ...[...["//", "//admin", "/admin//", "/admin//queues", "///", "/a/b//?x=1"].values()].map(notFound),
  ...["/.", "/./admin", "/admin/.", "/..", "/docs/../admin", "/docs/..", "/docs/../"].map(notFound),
  ...["/%2e/admin", "/%2E%2E/admin", "/docs/.%2e/admin", "/docs/%2e./admin", "/docs/%2E%2e"].map(notFound),
  ...["/admin%2fqueues", "/admin%2Fqueues", "/docs/..%2fadmin", "/docs%5c..%5Cadmin", "/%2Fadmin"].map(notFound),
  ...["/admin\\queues", "\\admin", "/docs/..\\admin", "/docs#/../admin", "/categories?a=1#b"].map(broken),
  ...["/adm\u00a0in", "/categories?q=\u00d1", "/a\tb", "/%", "/%zz", "/%4", "/admin%"].map(broken),
  ...["admin/queues", "", "*", "shop.example:80", "ftp://shop.example/admin", "http:/admin", "http:///admin"].map(
    broken,
  ),
  ...["http://user@shop.example/admin", "http://shop\\admin/x", "http://shop.example:80:80/admin"].map(broken),
];
function notFound(target: string): [string, 404] {
  return [target, 404];
}
function broken(target: string): [string, 400] {
  return [target, 400];
}

function faultOf(url: string, hosts: string[] = ["shop.example"], method = "GET") {
  const headers = hosts[0] === undefined ? {} : { host: hosts[0] };
  const rawHeaders = hosts.flatMap((host) => ["HoSt", host]);
  return addressFault({ url: normalTarget(url), method, headers, rawHeaders } as IncomingMessage)?.status;
}

describe("the form of a request's target", () => {
  test.each(forms)("of %s is %s, and stays so", (sent, form) => {
    expect(normalTarget(sent)).toBe(form);
    expect(normalTarget(form)).toBe(form);
    expect(faultOf(sent)).toBeUndefined();
  });

  test.each(refused)("is refused: %s with %i", (target, status) => {
    expect(faultOf(target)).toBe(status);
  });

  test.each(["/categories/slug/a.b", "/a/...", "/a/..;/b", "/a/b.", "/admin;x/queues", "/%252e%252e/admin", "/?a=\\"])(
    "is taken as it is written: %s",
    (target) => expect(faultOf(target)).toBeUndefined(),
  );

  test("may be a star where a server is asked for its options", () => {
    expect(faultOf("*", ["shop.example"], "OPTIONS")).toBeUndefined();
  });
});

describe("the Host header", () => {
  test.each(["shop.example", "shop.example:8080", "127.0.0.1:80", "[::1]:80", "my_service", ""])(
    "may be '%s'",
    (host) => {
      expect(faultOf("/categories", [host])).toBeUndefined();
    },
  );

  test.each(["shop.example, other.example", "shop.example/admin", "user@shop.example", "a b", "[::1", "a:b", "шоп"])(
    "is refused: '%s'",
    (host) => expect(faultOf("/categories", [host])).toBe(400),
  );

  test("may be missing, and comes once at most", () => {
    expect(faultOf("/categories", [])).toBeUndefined();
    expect(faultOf("/categories", ["shop.example", "shop.example"])).toBe(400);
  });
});
