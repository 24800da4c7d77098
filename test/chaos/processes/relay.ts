import { once } from "node:events";
import { startRuntime } from "./runtime.ts";

const { signal, end } = await startRuntime("relay");
process.send?.("ready");
if (!signal.aborted) await once(signal, "abort");
await end();
process.exit(0);
