import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Takes every mail at once and says on its parent's channel how many there were, so that all contestants meet the same. */
let taken = 0;
const server = createServer((socket) => {
  let isData = false;
  let rest = "";
  socket.setNoDelay(true).setEncoding("latin1");
  socket.on("error", () => undefined);
  socket.write("220 sink\r\n");
  const converse = (line: string) => {
    const command = line.slice(0, 4).toUpperCase();
    if (command === "DATA") isData = true;
    if (command === "EHLO") return "250-sink\r\n250 8BITMIME\r\n";
    if (command === "QUIT") return "221 bye\r\n";
    return isData ? "354 go on\r\n" : "250 fine\r\n";
  };
  socket.on("data", (chunk) => {
    rest += chunk;
    for (;;) {
      const end = rest.indexOf(isData ? "\r\n.\r\n" : "\r\n");
      if (end < 0) return;
      if (isData) {
        isData = false;
        rest = rest.slice(end + 5);
        process.send?.(++taken);
        socket.write("250 taken\r\n");
      } else {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        socket.write(converse(line));
      }
    }
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.({ port: (server.address() as AddressInfo).port });
