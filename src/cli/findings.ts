import { AppError, StartUpError } from "../errors.ts";
import { tlsFault } from "../platform/tls.ts";

export interface Finding {
  what: string;
  state: "ok" | "warning" | "problem" | "unknown";
  found: string;
  /** What to do about it. */
  advice?: string;
}

/** Leases and links that expire are compared by several clocks. */
const tolerableMs = 1_000;
const badMs = 5_000;

/** The reason of a failed look, as one sentence. */
export function reasonOf(error: unknown, server = "the server") {
  if (error instanceof AppError || error instanceof StartUpError) return error.message;
  return tlsFault(error, server) ?? (error instanceof Error ? error.message || error.name : String(error));
}

/** `theirs` was read at some moment between `began` and `ended`. */
export function compareClocks(what: string, theirs: number, began: number, ended: number): Finding {
  const off = theirs < began ? theirs - began : Math.max(0, theirs - ended);
  const found = off === 0 ? "agrees with this machine" : `${Math.round(off)} ms from this machine's`;
  if (Math.abs(off) <= tolerableMs) return { what, state: "ok", found };
  const state = Math.abs(off) > badMs ? "problem" : "warning";
  return { what, state, found, advice: "Set both by NTP (chrony, systemd-timesyncd): leases and links expire by them" };
}
