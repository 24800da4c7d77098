import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A service that says which messages have arrived. */
export async function startHttpProbe(has: (messageId: string) => boolean) {
  const server = createServer((request, response) => {
    const wanted = new URL(String(request.url), "http://probe.test").searchParams.get("message_id");
    response.end(JSON.stringify({ has: has(String(wanted)) }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
