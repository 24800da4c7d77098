import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { useApi } from "../../support/api.ts";
import { useApiProcesses } from "../../support/api-process.ts";
import { multipart, type Part } from "../../support/http.ts";

const api = useApi({ relay: false });
const processes = useApiProcesses(api);
let running: Awaited<ReturnType<typeof processes.start>>;
beforeAll(async () => {
  running = await processes.start();
}, 60_000);

const wanted: Part = { name: "image_blob", fileName: "a.png", content: Buffer.alloc(3_000) };
const unwanted: Part = { name: "x", fileName: "a.bin", content: Buffer.alloc(3_000) };

describe.each([
  ["a public route whose provider is switched off", "/payments/test-provider/x", ""],
  ["a route of staff", "/categories", "employee"],
] as const)("a form cut inside its last part, to %s", (_what, path, role) => {
  test.each<[string, Part[]]>([
    ["in a file that the route wants", [wanted]],
    ["in a file that the route does not want", [unwanted]],
    ["in a second file", [wanted, wanted]],
    ["in a file after a text where the file belongs", [{ name: "image_blob", content: "text" }, wanted]],
    ["in a file without a name", [{ ...unwanted, fileName: "" }]],
    ["in a text", [{ name: "name", content: "long ".repeat(100) }]],
  ])("%s leaves the process as it was", async (_where, parts) => {
    for (const end of ["end", "reset", "whole"] as const) await sendCut(path, parts, role && api.tokens[role], end);
    expect((await fetch(`${running.url}/-/health-checks/liveness`)).status).toBe(204);
    expect(running.child.exitCode, running.output.slice(-2_000)).toBeNull();
  });
});

/** Sends a form that lacks its last 100 bytes: the connection ends or is reset there, or the head names that length. */
async function sendCut(path: string, parts: Part[], token: string, how: "end" | "reset" | "whole") {
  const { body, headers } = multipart(parts);
  const sent = body.subarray(0, body.length - 100);
  const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
  socket.on("error", () => undefined).resume();
  await once(socket, "connect");
  const head = [
    `POST ${path} HTTP/1.1`,
    "host: localhost",
    "connection: close",
    `content-type: ${headers["content-type"]}`,
    `content-length: ${how === "whole" ? sent.length : body.length}`,
    ...(token ? [`authorization: Bearer ${token}`] : []),
    "\r\n",
  ].join("\r\n");
  socket.write(head);
  await new Promise((resolve) => socket.write(sent, resolve));
  if (how === "end") socket.end();
  else if (how === "reset") socket.resetAndDestroy();
  await once(socket, "close");
}
