/** The path of `PUBLIC_URL`, under which a proxy in front serves this API: empty, or as `/shop`. */
export function basePathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/(?<!\/)\/+$/, "");
}

/** A request's target without the base path; undefined when it is not under it. */
export function withoutBase(target: string, base: string): string | undefined {
  if (!target.startsWith(base)) return undefined;
  const rest = target.slice(base.length);
  if (rest.startsWith("/")) return rest;
  return rest === "" || rest.startsWith("?") ? `/${rest}` : undefined;
}
