import type { Described, Schema } from "../open-api-document.ts";
import { bodySchema, sampleOf } from "../sample-request.ts";
import { type HostileRequest, usualForm, usualPath } from "./requests.ts";

type Follow = (schema: Schema) => Schema;

export interface Attack extends HostileRequest {
  what: string;
}

/** Requests that are wrong as a whole: their query, their headers, the form or size of their body. */
export async function attacksOn(operation: Described, follow: Follow): Promise<Attack[]> {
  const path = usualPath(operation, follow);
  return [
    ...queryAttacks(path),
    ...headerAttacks(path),
    ...(bodySchema(operation, "json") ? jsonAttacks(path, sampleOf(bodySchema(operation, "json") ?? {}, follow)) : []),
    ...(bodySchema(operation, "form") ? await formAttacks(path, operation, follow) : []),
  ];
}

function queryAttacks(path: string): Attack[] {
  const queries: [string, string][] = [
    ["1,000 parameters", Array.from({ length: 1_000 }, (_, n) => `p${n}=${n}`).join("&")],
    ["one parameter 1,000 times", Array.from({ length: 1_000 }, (_, n) => `page=${n}`).join("&")],
    ["a way to the prototype", "__proto__[polluted]=1&constructor[prototype][polluted]=1&__proto__.polluted=1"],
    ["lists and objects", "page[]=1&size[$gt]=1&search_term[]=a&search_term[x]=b&user_id[0]=c"],
    ["bytes that are no UTF-8", "page=%FF%FE&search_term=%C0%AF"],
    ["percent signs that encode nothing", "page=%E0%A4%A&size=%&search_term=%zz"],
    ["only marks", "&&&===&=&?&?=?"],
    ["a field to sort by", "sort=__proto__&order_by=id;DROP+TABLE+users"],
  ];
  return queries.map(([what, query]) => ({
    what,
    path: `${path}${path.includes("?") ? "&" : "?"}${query}`,
    headers: {},
  }));
}

function headerAttacks(path: string): Attack[] {
  const headers: Record<string, string>[] = [
    // Without respond-async a route may well wait for its job, which no worker does here.
    { prefer: `respond-async, ${"wait ".repeat(1_000)}=` },
    { prefer: `respond-async; wait; =; "${"\\".repeat(2_000)}` },
    { "if-none-match": `${'W/"x",'.repeat(1_000)}*` },
    { "if-match": "*" },
    { accept: "text/html;q=0.0000001,*/*;q=2" },
    { range: "bytes=0-0,1-1,2-", "accept-encoding": "gzip;q=0,identity;q=0" },
    { "x-request-id": "'; DROP TABLE users; --" },
    { "x-http-method-override": "DELETE", "x-method-override": "DELETE", "x-http-method": "DELETE" },
    {
      "x-forwarded-for": `${"1.1.1.1, ".repeat(500)}evil`,
      "x-forwarded-proto": "javascript",
      "x-forwarded-host": "evil",
    },
    { "idempotency-key": "k".repeat(8_000) },
    { "content-type": `application/${"a+".repeat(3_000)}json` },
  ];
  return headers.map((header) => {
    const [first = ""] = Object.entries(header).map(([name, value]) => `${name}: ${value.slice(0, 40)}`);
    return { what: first, path, headers: header };
  });
}

function jsonAttacks(path: string, sample: unknown): Attack[] {
  const usual = JSON.stringify(sample);
  const filled = (extra: string) =>
    usual.startsWith("{") ? usual.replace(/\{?\}$/, `,${extra}}`).replace("{,", "{") : `{${extra}}`;
  const bodies: [string, string | Uint8Array<ArrayBuffer>, string?][] = [
    ...[
      "",
      "null",
      "true",
      "0",
      '"text"',
      "[]",
      "{}",
      "[null]",
      "[[]]",
      "1e309",
      "{",
      `${usual}}`,
      "NaN",
      "undefined",
    ].map((body): [string, string] => [`the body ${JSON.stringify(body.slice(0, 30))}`, body]),
    ["a byte order mark", `\ufeff${usual}`],
    ["lists 10,000 deep", `${"[".repeat(10_000)}${"]".repeat(10_000)}`],
    ["objects 10,000 deep", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["a value 10,000 deep", filled(`"deep":${"[".repeat(10_000)}${"]".repeat(10_000)}`)],
    ["a way to the prototype", filled('"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}')],
    ["keys that come twice", filled('"twice":1,"twice":2')],
    ["10,000 unknown keys", filled(Array.from({ length: 10_000 }, (_, n) => `"k${n}":${n}`).join())],
    ["100 kB in an unknown key", filled(`"x":"${"a".repeat(100_000)}!"`)],
    ["10,000 times the same", `[${Array.from({ length: 10_000 }, () => "1").join()}]`],
    ["more than 1 MB", filled(`"x":"${"a".repeat(1_100_000)}"`)],
    ["bytes that are no UTF-8", new Uint8Array([...Buffer.from(filled('"x":"')), 0xff, 0xfe, 0x22, 0x7d])],
    ["no type", usual, ""],
    ["another type", usual, "text/plain"],
    ["another charset", usual, "application/json; charset=utf-16"],
    ["a form without a boundary", usual, "multipart/form-data"],
    ["a form instead", "a=1&__proto__=2&a[b]=3", "application/x-www-form-urlencoded"],
  ];
  const attacks = bodies.map(([what, body, type = "application/json"]) => ({ what, path, headers: typed(type), body }));
  const packed = { ...typed("application/json"), "content-encoding": "gzip" };
  return [...attacks, { what: "a body that says it is packed", path, headers: packed, body: usual }];
}

const typed = (type: string): Record<string, string> => (type ? { "content-type": type } : {});

async function formAttacks(path: string, operation: Described, follow: Follow): Promise<Attack[]> {
  const part = (name: string, value = "1") =>
    `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const multipart: [string, string][] = [
    ["nothing", ""],
    ["no end", part("name")],
    ["5,000 fields", `${Array.from({ length: 5_000 }, (_, n) => part(`f${n}`)).join("")}--b--\r\n`],
    ["a name 2,000 brackets deep", `${part(`a${"[b]".repeat(2_000)}`)}--b--\r\n`],
    ["an index of 4 billion", `${part("a[4294967294]")}--b--\r\n`],
    ["a way to the prototype", `${part("__proto__")}${part("__proto__[polluted]")}${part("constructor")}--b--\r\n`],
    ["a field without a name", `${part("")}--b--\r\n`],
    ["a part without a head", "--b\r\n\r\n\r\n--b--\r\n"],
    ["heads without an end", `--b\r\n${"x: y\r\n".repeat(5_000)}\r\n--b--\r\n`],
    ["200 kB in one field", `${part("name", "a".repeat(200_000))}--b--\r\n`],
    [
      "a file of no kind",
      '--b\r\ncontent-disposition: form-data; name="image_blob"; filename="../../a\0.jpg"\r\n\r\nx\r\n--b--\r\n',
    ],
    ["a text for the file", `${part("image_blob", "text")}--b--\r\n`],
  ];
  const type = "multipart/form-data; boundary=b";
  const twice = await usualForm(operation, follow);
  for (const [key, value] of [...twice]) twice.append(key, value);
  return [
    ...multipart.map(([what, body]) => ({ what: `a form of ${what}`, path, headers: typed(type), body })),
    { what: "everything twice", path, headers: {}, body: twice },
    {
      what: "a boundary of 1,000 letters",
      path,
      headers: typed(`multipart/form-data; boundary=${"b".repeat(1_000)}`),
      body: "x",
    },
    {
      what: "a form of bytes",
      path,
      headers: typed("application/x-www-form-urlencoded"),
      body: "name=%FF%00&%=%&a[b]=1",
    },
  ];
}
