import type { AddressInfo, Server } from "node:net";
import { StartUpError } from "../errors.ts";
import type { Log } from "./logger.ts";

export interface ListenOptions {
  /** 0: any free one. */
  port: number;
  host: string;
  /** What to do when another program has the port: a sentence. */
  advice: string;
  /** Logs connections that cannot be accepted, as when the process has too many files open. */
  log?: Pick<Log, "error">;
}

/**
 * Has a server listen, and returns its port. Throws `StartUpError` with a sentence when it cannot: the port is taken,
 * is not allowed for this user, or the address does not belong to this machine.
 */
export async function listen(server: Server, { port, host, advice, log }: ListenOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(inWords(error, { port, host, advice }));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      // Without a listener this error would end the process, and with it every other connection.
      server.on("error", (error) => log?.error({ err: error }, "a connection could not be accepted"));
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

function inWords(error: NodeJS.ErrnoException, { port, host, advice }: ListenOptions): Error {
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new StartUpError(`Port ${port} is taken by another program (address ${host}). ${advice}`, cause);
    case "EACCES":
      return new StartUpError(`This user may not listen on port ${port}. ${advice}`, cause);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new StartUpError(`${host} is not an address of this machine, so nothing can listen there.`, cause);
    default:
      return error;
  }
}
