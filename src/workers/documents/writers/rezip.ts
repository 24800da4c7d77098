import { unzipSync, zipSync } from "fflate";

/** The same files without the times at which they were put in, so that the same content gives the same bytes. */
export function rezip(zip: Uint8Array): Uint8Array {
  return zipSync(unzipSync(zip), { mtime: new Date(1980, 0, 1), level: 6 });
}
