/** Maximum wait that a caller can request. */
const maxWaitSeconds = 60;

/** Seconds of `Prefer: wait=N` (RFC 7240), to wait for the result; undefined without one. */
export function preferredWait(header: string | string[] | undefined) {
  const given = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec([header].flat().join(","));
  return given ? Math.min(Number(given[1]), maxWaitSeconds) : undefined;
}

/** As `preferredWait`, for routes that wait by default: `respond-async` means not at all. */
export function patience(header: string | string[] | undefined, typicalSeconds: number) {
  const isAsync = /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test([header].flat().join(","));
  return preferredWait(header) ?? (isAsync ? 0 : typicalSeconds);
}
