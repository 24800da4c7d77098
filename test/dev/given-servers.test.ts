import { expect, test } from "vitest";
import { readGivenServers } from "../../dev/stack/given-servers.ts";
import { environment } from "../../src/config.ts";

test.each([
  ["is the worker's own default when it is not said", undefined, environment.worker.shape.SMTP_PORT.parse(undefined)],
  ["is that default when it is empty", "", 587],
  ["is what is said otherwise", "2525", 2525],
])("the port of a given mail server %s", (_what, SMTP_PORT, port) => {
  expect(readGivenServers({ SMTP_HOST: "mail.example", SMTP_PORT }).smtp).toEqual({ host: "mail.example", port });
});

test.each(["abc", "0", "65536", "25.5"])("the port %j of a given mail server is refused by name", (SMTP_PORT) => {
  expect(() => readGivenServers({ SMTP_HOST: "mail.example", SMTP_PORT })).toThrow("SMTP_PORT is wrong");
});
