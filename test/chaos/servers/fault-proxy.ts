import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Where a connection breaks: at bytes of one side that match, before or after they were passed on. */
export interface Cut {
  from: "client" | "server";
  /** Looked for in the bytes as Latin-1, over the borders of chunks. */
  match: RegExp;
  /** `after`: the other side has them and acts on them, and its answer is lost. */
  when: "before" | "after";
  times: number;
}

interface Link {
  client: Socket;
  upstream: Socket;
}

const healthy = { delayMs: 0, jitterMs: 0, isDark: false, bytesLeft: Number.POSITIVE_INFINITY };

/** So much of the last bytes is kept for a match that lies across chunks. */
const overlap = 64;

export type FaultProxy = Awaited<ReturnType<typeof startFaultProxy>>;

/** A TCP proxy on 127.0.0.1 in front of a port; it passes everything until it is told to do worse. */
export async function startFaultProxy(targetPort: number) {
  const links = new Set<Link>();
  const state = { ...healthy, cut: undefined as Cut | undefined, cuts: 0 };

  const server = createServer((client) => {
    const link: Link = { client, upstream: connect(targetPort, "127.0.0.1") };
    links.add(link);
    for (const socket of [link.client, link.upstream]) {
      socket.on("error", () => undefined);
      socket.setNoDelay(true);
      socket.on("close", () => {
        links.delete(link);
        // While the network is cut, no side learns of the end of the other.
        if (!state.isDark) breakOff(link);
      });
    }
    pass(link, "client");
    pass(link, "server");
  });

  /** Passes on what one side says, chunk by chunk and in order. */
  function pass(link: Link, from: Cut["from"]) {
    const source = from === "client" ? link.client : link.upstream;
    const target = from === "client" ? link.upstream : link.client;
    let tail = "";
    let queue = Promise.resolve();
    let queued = 0;
    const next = async (chunk: Buffer) => {
      if (state.delayMs > 0) await sleep(state.delayMs + Math.random() * state.jitterMs);
      const seen = tail + chunk.toString("latin1");
      const cut = takeCut(from, seen);
      tail = cut ? "" : seen.slice(-overlap);
      if (cut?.when === "before") return breakOff(link);
      forward(link, target, chunk);
      if (cut) sever(source, target);
    };
    source.on("data", (chunk: Buffer) => {
      if (state.isDark) return;
      // Nearly always: a harness that is slow would be the fault that it looks for.
      if (queued === 0 && isHealthy(state)) return void (target.destroyed || target.write(chunk));
      queued++;
      queue = queue.then(() => next(chunk)).finally(() => queued--);
    });
  }

  function takeCut(from: Cut["from"], seen: string) {
    const { cut } = state;
    if (!cut || cut.times === 0 || cut.from !== from || !cut.match.test(seen)) return undefined;
    cut.times--;
    state.cuts++;
    return cut;
  }

  function forward(link: Link, target: Socket, chunk: Buffer) {
    const allowed = chunk.subarray(0, Math.min(chunk.length, state.bytesLeft));
    state.bytesLeft -= allowed.length;
    if (!target.destroyed) target.write(allowed);
    if (allowed.length < chunk.length) breakOff(link);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    state,
    /** Breaks connections at matching bytes, so many times. */
    cutWhen(cut: Omit<Cut, "times">, times: number) {
      state.cut = { ...cut, times };
    },
    /** Breaks connections in the middle, so many bytes from now; no byte comes through after that. */
    closeAfter(bytes: number) {
      state.bytesLeft = bytes;
    },
    /** Everything takes longer from now on; 0 ends that. */
    delay(ms: number, jitterMs: number) {
      Object.assign(state, { delayMs: ms, jitterMs });
    },
    /** Half-open connections: both sides think that they are connected, and nothing comes through. */
    async blackHole(ms: number) {
      state.isDark = true;
      await sleep(ms);
      state.isDark = false;
      // What was swallowed cannot be made up for.
      for (const link of links) breakOff(link);
    },
    /** Resets all connections there are. */
    reset() {
      for (const { client, upstream } of links) for (const socket of [client, upstream]) socket.resetAndDestroy();
    },
    /** Passes everything again. */
    heal() {
      Object.assign(state, healthy, { cut: undefined });
    },
    async stop() {
      server.close();
      for (const link of links) breakOff(link);
      await once(server, "close");
    },
  };
}

const isHealthy = ({ cut, delayMs, bytesLeft }: { cut: Cut | undefined; delayMs: number; bytesLeft: number }) =>
  !cut && delayMs === 0 && bytesLeft === Number.POSITIVE_INFINITY;

function breakOff({ client, upstream }: Link) {
  client.destroy();
  upstream.destroy();
}

/** Ends the connection of the side that spoke, and lets the other one answer into the void. */
function sever(teller: Socket, answerer: Socket) {
  teller.removeAllListeners("close");
  answerer.removeAllListeners("data").resume();
  answerer.once("data", () => answerer.destroy());
  setTimeout(() => answerer.destroy(), 1_000).unref();
  teller.destroy();
}
