import { describe, expect, test } from "vitest";
import * as fields from "../../../src/api/http/fields.ts";
import { preferredWait } from "../../../src/api/http/preferences.ts";
import { requestIdOf } from "../../../src/api/http/request-id.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { call, useApi } from "../../support/api.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { unknownId } from "../../support/sample-request.ts";

const size = 100_000;
const longestMs = 50;
const repeated = ["a", " ", "\t", "1", "+", "-", ".", "@", "a@", "a.", "0", "é", "\n", "=", "?", "{", "-a", "Prefer "];
/** Texts that make a careless expression try everything. */
const texts = repeated.flatMap((part) => ["", "!", "\0", "@"].map((end) => part.repeat(size / part.length) + end));

function slowest(run: (text: string) => unknown) {
  let most = { ms: 0, text: "" };
  for (const text of texts) {
    const once = () => {
      const before = process.cpuUsage();
      run(text);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    const first = once();
    // What is slow is slow every time; a collection of garbage is not.
    const ms = first < longestMs ? first : Math.min(once(), once(), once());
    if (ms > most.ms) most = { ms, text: `${JSON.stringify(text.slice(0, 20))} … ${JSON.stringify(text.slice(-2))}` };
  }
  return most;
}

describe("100 kB of the worst", () => {
  const { boolean, integer, line, note, optionalLine, pieces, required, roubles, searchTerm, timestamp, uuid } = fields;
  const schemas = {
    ...{ boolean, note, pieces, roubles, searchTerm, timestamp, uuid },
    ...{ integer: integer(pieces), line: line(), optionalLine: optionalLine(), required: required(line()) },
  };

  test.each(Object.entries(schemas))("are looked at in no time by the field '%s'", (_name, schema) => {
    expect(slowest((text) => schema.safeParse(text)).ms).toBeLessThan(longestMs);
  });

  test("are looked at in no time by every pattern of the OpenAPI document", () => {
    const found = JSON.stringify(readDocument(routes).document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g);
    const patterns = new Set([...found].map(([, pattern = ""]) => JSON.parse(pattern) as string));
    expect(patterns.size).toBeGreaterThan(1);
    for (const pattern of patterns) {
      const expression = new RegExp(pattern, "u");
      const { ms, text } = slowest((one) => expression.test(one));
      expect({ pattern, text, isFast: ms < longestMs }).toMatchObject({ isFast: true });
    }
  });

  test("are looked at in no time by what reads headers", () => {
    for (const read of [preferredWait, requestIdOf]) expect(slowest(read).ms).toBeLessThan(longestMs);
  });
});

describe("a long address", () => {
  const api = useApi({ relay: false });

  test.each(["?token", "&token", "?token?secret&", "?api-key=", "?", "&", "=", "?a=?", "token"])(
    "full of '%s' takes no longer than others when staff sends it",
    async (part) => {
      const query = part.repeat(Math.floor(12_000 / part.length));
      const began = performance.now();
      const headers = { authorization: `Bearer ${api.tokens.admin}` };
      const { status } = await call(`${api.url}/categories/${unknownId}?${query}`, { method: "DELETE", headers });
      expect(status).toBe(404);
      // A slow machine may take ten times as long; a bad expression takes a thousand times as long.
      expect(performance.now() - began).toBeLessThan(8_000);
    },
  );
});
